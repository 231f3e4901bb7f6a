"""Which runs may be compared, what differs between them, and what is left when only the seed does."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hm3.runs.finished import FinishedRun

_TARGET = "_target_"
_AGENT = f"agent.{_TARGET}"
# Shown in columns of their own, or no choice about the search: where things lie and who is told.
_APART = {"seed", _AGENT, "export", "resume", "merges", "evaluator.store"}
_APART_BELOW = ("preference.", "tracking.")


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (of a sample) over seeds."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Variant:
    """Runs that differ in the seed only.

    Attributes:
        label: What tells it from the group's other variants; empty if it is the only one.
        runs: In the order in which they were found.
    """

    label: str
    runs: tuple[FinishedRun, ...]

    @property
    def seeds(self) -> tuple[FinishedRun, ...]:
        """One run for each seed: of several the last."""
        return tuple({run.front.seed: run for run in self.runs}.values())

    def spread(self, figure: Callable[[FinishedRun], float | None]) -> Spread | None:
        """Over the seeds; None with fewer than two, or where a run lacks the figure."""
        values = [value for run in self.seeds if (value := figure(run)) is not None]
        if len(values) < 2 or len(values) < len(self.seeds):
            return None
        return Spread(statistics.fmean(values), statistics.stdev(values))


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with the same objectives and normalisation: their hypervolumes are in the same units.

    Attributes:
        runs: In the order in which they were found.
        columns: Dotted names of the settings that differ, beside preference, seed and agent.
        variants: The runs again, those that differ in the seed only together.
    """

    runs: tuple[FinishedRun, ...]
    columns: tuple[str, ...]
    variants: tuple[Variant, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives."""
        return self.runs[0].front.names


def groups(runs: Sequence[FinishedRun]) -> list[Group]:
    """The runs by what they measure, largest group first."""
    found: dict[Any, list[FinishedRun]] = {}
    for run in runs:
        found.setdefault((run.front.objectives, run.front.normaliser), []).append(run)
    return sorted(map(_group, found.values()), key=lambda group: -len(group.runs))


def agent_of(run: FinishedRun) -> str:
    """The agent's class."""
    return shown(_AGENT, run.settings[_AGENT]) if _AGENT in run.settings else "–"


def preference_of(run: FinishedRun) -> str:
    """The weights in percent, in the objectives' order: ``70/15/15``."""
    return "/".join(f"{100 * weight:.0f}" for weight in run.front.preference.weights)


def setting_of(run: FinishedRun, name: str) -> str:
    """A setting as people write it; a dash where the run has none of that name."""
    return shown(name, run.settings[name]) if name in run.settings else "–"


def stated(run: FinishedRun, names: Sequence[str]) -> list[str]:
    """Those of the settings that a run has, each as ``name=value``."""
    return [f"{heading(name)}={setting_of(run, name)}" for name in names if name in run.settings]


def heading(name: str) -> str:
    """What a setting is called: a class by its part's name alone, a search's run by what it is to the search."""
    return "policy of" if name == "run" else name.removesuffix(f".{_TARGET}")


def shown(name: str, value: Any) -> str:
    """A value as people write it on the command line; of a class its own name."""
    if isinstance(value, list):
        return f"[{', '.join(shown(name, each) for each in value)}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value).rpartition(".")[2] if name.endswith(_TARGET) else str(value)


def _group(runs: Sequence[FinishedRun]) -> Group:
    names = dict.fromkeys(name for run in runs for name in run.settings)
    columns = tuple(name for name in names if _differs(name, runs))
    variants: dict[tuple[str, ...], list[FinishedRun]] = {}
    for run, label in zip(runs, _labels(runs, columns), strict=True):
        variants.setdefault(label, []).append(run)
    named = (Variant(", ".join(filter(None, label)), tuple(same)) for label, same in variants.items())
    return Group(tuple(runs), columns, tuple(named))


def _differs(name: str, runs: Sequence[FinishedRun]) -> bool:
    """Whether runs whose part (agent, parameter level ...) is of one class have different values.

    Parts of different classes have settings of their own. A setting that a run lacks is as good as null.
    """
    if name in _APART or name.startswith(_APART_BELOW):
        return False
    part = f"{name.partition('.')[0]}.{_TARGET}"
    if name == part:
        return len({run.settings.get(name) for run in runs}) > 1
    values = {(run.settings.get(part), shown(name, run.settings.get(name))) for run in runs}
    return len(values) > len({target for target, _ in values})


def _labels(runs: Sequence[FinishedRun], columns: Sequence[str]) -> list[tuple[str, ...]]:
    """For each run what tells its variant: the preference, the agent, settings; empty where all are alike."""
    always = [[preference_of(run) for run in runs], [agent_of(run) for run in runs]]
    differ = [values if len(set(values)) > 1 else [""] * len(runs) for values in always]
    return [(*label, *stated(run, columns)) for run, label in zip(runs, zip(*differ, strict=True), strict=True)]
