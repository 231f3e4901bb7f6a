"""What each part of the method is worth: one switch at a time, on table a.

    python -m scripts.benchmark switches --out scripts/benchmark/results/switches.json

Two groups, each against its own first line: the whole method, and its policy gradients alone, without processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from agents import PPO, Potential, Spread, SurrogatePPO
from agents.published import Wolpertinger
from scripts.benchmark.interval import interval, shown
from scripts.benchmark.report import Report, Request
from scripts.benchmark.search.figures import GOALS, area, share
from scripts.benchmark.search.methods import METHODS, Make
from scripts.benchmark.search.outcome import expected_time
from scripts.benchmark.search.reached import Parts, Reached, finite
from scripts.benchmark.search.trials import Trial
from scripts.benchmark.sheet import Sheet
from scripts.benchmark.side_by_side import side_by_side


@dataclass(frozen=True)
class Group:
    """Switches of one agent.

    Attributes:
        title: Of its table.
        key: Of the contest's method.
        make: The agent, given settings.
        budget: Different stacks.
        batches: Stacks that are asked for at once; the first is the contest's.
        settings: What is switched; the first changes nothing.
    """

    title: str
    key: str
    make: Make
    budget: int
    settings: Mapping[str, Mapping[str, Any]]
    batches: Mapping[str, int]

    def trials(self, seeds: Sequence[int]) -> Iterator[Trial]:
        """Every line with every seed."""
        for name in self.lines:
            method = replace(METHODS[self.key], make=partial(self.make, **self.settings.get(name, {})))
            method = replace(method, batch=self.batches.get(name, method.batch))
            yield from (Trial(f"{self.key}: {name}", method, "a", seed, self.budget) for seed in seeds)

    @property
    def lines(self) -> tuple[str, ...]:
        """All that is tried."""
        return (*self.settings, *self.batches)


WHOLE = Group(
    "the whole method",
    "hm3",
    SurrogatePPO,
    200,
    {
        "as it is": {},
        "the policy does not practise": {"practice": 0},
        "no imitation of the best stacks": {"imitation": 0},
        "no natural prior": {"beta": (0.0, 0.0)},
        "neighbours of the front alone": {"rounds": 0},
        "a quarter of the candidates": {"candidates": 100},
        "processes from the fourth stack": {"initial": 4},
        "processes from the twentieth stack": {"initial": 20},
    },
    {"batches of 4": 4, "batches of 16": 16},
)
ALONE = Group(
    "its policy gradients alone",
    "ppo",
    PPO,
    600,
    {
        "as they are": {},
        "credit spread over the path": {"credit": Spread()},
        "credit by early exits": {"credit": Potential(own_ends=True)},
        "Wolpertinger instead of masks": {"head": Wolpertinger(), "relabels": 0},
        "no other preferences taught": {"relabels": 0},
        "no natural prior": {"beta": (0.0, 0.0)},
        "no imitation of the best stacks": {"imitation": 0},
    },
    {"batches of 16": 16},
)


def run(request: Request) -> Report:
    """Switch everything, one by one."""
    seeds = range(request.seed, request.seed + (1 if request.quick else 10))
    groups = [replace(group, budget=24) for group in (WHOLE,)] if request.quick else [WHOLE, ALONE]
    parts = side_by_side([trial for group in groups for trial in group.trials(seeds)], request)
    found = {group.key: _figures(parts, group) for group in groups}
    sheets = [_sheet(group, found[group.key]) for group in groups]
    areas = {key: {name: each["area"] for name, each in lines.items()} for key, lines in found.items()}
    summary = {"seeds": len(seeds), **areas}
    return Report(summary, {"lines": found, "tables": [sheet.json() for sheet in sheets]}, [s.rich() for s in sheets])


def _figures(parts: Parts, group: Group) -> dict[str, Any]:
    found = {}
    for name in group.lines:
        own = [part for part in parts if part["key"] == f"{group.key}: {name}"]
        reached = Reached.of(own, "nadir", GOALS["95%"])
        found[name] = {
            "evaluations": finite(reached.time),
            "success": reached.success,
            "area": interval([area(part, "nadir", group.budget) for part in own]),
            "share": interval([share(part, "nadir", group.budget) for part in own]),
        }
    return found


def _sheet(group: Group, found: Mapping[str, Any]) -> Sheet:
    columns = (group.title, "evaluations to 95%", f"mean share, first {group.budget}", "share then")
    rows = [
        [name, expected_time(each["evaluations"], each["success"]), shown(each["area"]), shown(each["share"])]
        for name, each in found.items()
    ]
    return Sheet(f"{group.title}: hypervolume from below the nadir of the true front, table a", columns, rows)
