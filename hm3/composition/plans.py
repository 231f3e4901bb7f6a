"""How much each stage does, and the progress that follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from omegaconf import DictConfig

from envs.preferences import Around, Dirichlet, Holdout, PreferenceSampler
from hm3.budget import Budget
from hm3.checks import listing, number, whole
from hm3.composition.sections import section
from hm3.errors import ConfigurationError
from hm3.objectives import Preference
from hm3.progress import Stage


@dataclass(frozen=True, slots=True)
class Offline:
    """The offline stage: so many rollouts of so many episodes."""

    rollouts: int
    episodes: int

    def __post_init__(self) -> None:
        whole("offline.rollouts", self.rollouts, 0)
        whole("offline.episodes", self.episodes, 1)

    @classmethod
    def of(cls, config: DictConfig) -> Offline:
        """As the section ``offline`` says."""
        settings = section(config, "offline")
        return cls(settings.rollouts, settings.episodes)


@dataclass(frozen=True, slots=True)
class Online:
    """The online stage.

    Attributes:
        divisions: Of the lattice of preferences, on each side.
        each: Proposals for each preference of the lattice.
        own: Proposals for the user's preference.
        refine: Rounds of local search from what was found.
        survivors: Stacks that are judged on the whole search split.
        front: Stacks that the front keeps at most.
    """

    divisions: int
    each: int
    own: int
    refine: int
    survivors: int
    front: int

    def __post_init__(self) -> None:
        whole("online.divisions", self.divisions, 0)
        whole("online.each", self.each, 0)
        whole("online.own", self.own, 0)
        whole("online.refine", self.refine, 0)
        whole("online.survivors", self.survivors, 1)
        whole("online.front", self.front, 1)

    @classmethod
    def of(cls, config: DictConfig) -> Online:
        """As the section ``online`` says."""
        settings = section(config, "online")
        return cls(**{field.name: settings[field.name] for field in fields(cls)})

    def proposals(self, objectives: int) -> int:
        """About how many proposals there will be: half of them come more than once."""
        return self.lattice(objectives) * self.each // 2 + self.own

    def lattice(self, objectives: int) -> int:
        """How many preferences the lattice has."""
        return math.comb(self.divisions + objectives - 1, objectives - 1)


def train_stages(config: DictConfig) -> list[Stage]:
    """What a training run's progress tells, with the cost of an item of each stage in evaluations on the screen."""
    offline = Offline.of(config)
    training = Stage("offline", offline.rollouts, offline.episodes, stacks=offline.episodes)
    return [training, *search_stages(config)]


def search_stages(config: DictConfig, known: int = 0) -> list[Stage]:
    """What the online stage's progress tells; the stages themselves say what it will be once they know.

    Args:
        config: As composed from ``conf/train.yaml``.
        known: Stacks of an earlier front that are judged again.
    """
    online, objectives = Online.of(config), len(section(config, "tasks").objectives or ())
    return [
        Stage("proposals", online.proposals(max(1, objectives))),
        Stage("merges", whole("rivals", config.rivals, 0), 20),
        Stage("known", known, 5, stacks=0),
        Stage("online", online.survivors, 5, stacks=0),
        Stage("refinement", online.refine * Offline.of(config).episodes, 4),
        Stage("test", online.front, 7, stacks=0),
    ]


def merge_stages(config: DictConfig) -> list[Stage]:
    """What the progress of a run without stacks tells."""
    online, objectives = Online.of(config), len(section(config, "tasks").objectives or ())
    return [
        Stage("known", online.lattice(max(1, objectives)) + 1, 5),
        Stage("merges", whole("rivals", config.rivals, 0), 20),
        Stage("test", online.front, 7, stacks=0),
    ]


def with_merges(stages: Sequence[Stage], count: int) -> list[Stage]:
    """The stages with as many merges as there will be, which only the sources tell."""
    return [replace(stage, total=count) if stage.name == "merges" else stage for stage in stages]


def budget_of(config: DictConfig) -> Budget:
    """What may be spent, as the section ``budget`` says."""
    settings = section(config, "budget")
    return Budget(**{field.name: settings[field.name] for field in fields(Budget)})


def sampler_of(config: DictConfig, preference: Preference) -> PreferenceSampler:
    """Where the preferences of training episodes come from.

    Args:
        config: The section ``offline``.
        preference: The user's.

    Raises:
        ConfigurationError: A share or a preference that is kept out is none.
    """
    count = len(preference.names)
    sampler: PreferenceSampler = Dirichlet(count, number("offline.corners", config.corners, 0, 1))
    share = number("offline.user_share", config.user_share, 0, 1)
    if share:
        sampler = Around(sampler, preference.weights, share)
    if config.kept_out:
        listed = listing("offline.kept_out", config.kept_out)
        kept_out = tuple(_point(weights, count) for weights in listed)
        sampler = Holdout(sampler, kept_out, number("offline.radius", config.radius, 0))
    return sampler


def _point(weights: object, count: int) -> tuple[float, ...]:
    point = list(weights) if isinstance(weights, Sequence) and not isinstance(weights, str) else []
    if len(point) != count:
        raise ConfigurationError(f"offline.kept_out: lists of {count} weights, got {weights!r}")
    return tuple(number("offline.kept_out", weight, 0, 1) for weight in point)
