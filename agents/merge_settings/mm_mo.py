"""MM-MO: multi-objective Bayesian search over merge settings (arXiv 2407.00487)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np

from agents.merge_settings.apart import moved_apart
from agents.merge_settings.isolated import isolated
from agents.merge_settings.observed import Observed, observed
from agents.merge_settings.proposer import Told
from agents.merge_settings.random_settings import RandomSettings
from agents.merge_settings.reference import reference_point
from agents.merge_settings.screening import most_uncertain
from agents.merge_settings.weak_to_strong import elite, weak_to_strong
from hm3.checks import flag, number, whole
from hm3.objectives import Array

_log = logging.getLogger(__name__)
_RULES: Mapping[str, Callable[[str, Any], object]] = {
    "initial": partial(whole, low=2),
    "weak_to_strong": flag,
    "screening": flag,
    "candidates": partial(whole, low=1),
    "elite": partial(whole, low=3),
    "factor": partial(number, low=0, high=2),
    "crossover": partial(number, low=0, high=1),
    "samples": partial(whole, low=1),
    "restarts": partial(whole, low=1),
    "raw_samples": partial(whole, low=1),
    "steps": partial(whole, low=1),
}


@dataclass(frozen=True, kw_only=True)
class MMMO:
    """Gaussian processes propose where the front may grow; candidates are pulled to the elite and screened.

    It begins with the points of `RandomSettings` of the same seed. Then, for every batch anew: a process for each
    objective, candidates by qLogNEHVI, their cross with mutants of the elite, and of these the ones that the processes
    know least about. A merge without scores counts as the worst one; an objective that is constant is left out.

    Attributes:
        dimensions: Of the cube, D.
        tasks: The first so many objectives are task scores, which make the elite; the others only steer.
        names: The objectives, M.
        seed: Of everything that is drawn.
        initial: Uniform points before the first model.
        weak_to_strong: Whether candidates are crossed with mutants of the elite.
        screening: Whether there are more candidates than places, and the most uncertain ones get them.
        candidates: For each place, with screening.
        elite: Points that make mutants.
        factor: Of the difference in a mutant.
        crossover: Share of coordinates that a candidate gets from a mutant.
        samples: Of the posterior, for the acquisition.
        restarts: Ascents of the acquisition.
        raw_samples: Points of which the ascents begin at good ones.
        steps: Of an ascent, at most.

    Raises:
        ConfigurationError: A setting is not what it must be.
    """

    dimensions: int
    tasks: int
    names: Sequence[str]
    seed: int = 0
    initial: int = 10
    weak_to_strong: bool = True
    screening: bool = True
    candidates: int = 2
    elite: int = 5
    factor: float = 0.5
    crossover: float = 0.5
    samples: int = 16
    restarts: int = 2
    raw_samples: int = 64
    steps: int = 20
    _said: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole("proposer.tasks", self.tasks, 1, len(self.names))
        RandomSettings(dimensions=self.dimensions, seed=self.seed)
        for each in fields(self):
            if rule := _RULES.get(each.name):
                rule(f"parameter.proposer.{each.name}", getattr(self, each.name))

    def propose(self, told: Told, count: int) -> Array:
        """The next points, (n, D) with 1 <= n <= `count`."""
        begin = RandomSettings(dimensions=self.dimensions, seed=self.seed)
        if len(told.points) < self.initial:
            return begin.propose(told, min(count, self.initial - len(told.points)))
        known = observed(told, self.tasks)
        self._report(told, known)
        if not known.values.size:
            return begin.propose(told, count)
        rng = np.random.default_rng([self.seed, len(told.points)])
        with isolated(int(rng.integers(2**31))):
            return self._modelled(known, count, rng)

    def _modelled(self, known: Observed, count: int, rng: np.random.Generator) -> Array:
        from agents.merge_settings.acquisition import Acquisition
        from agents.merge_settings.surrogate import Surrogate

        surrogate = Surrogate.fit(known.points, known.values)
        acquisition = Acquisition(self.samples, self.restarts, self.raw_samples, self.steps)
        reference = reference_point(known.values[: self.initial])
        points = acquisition.best(surrogate, reference, count * (self.candidates if self.screening else 1))
        if self.weak_to_strong:
            strong = elite(known.points, known.values[:, : known.tasks], self.elite)
            points = weak_to_strong(points, strong, rng, factor=self.factor, crossover=self.crossover)
        points = moved_apart(points, known.points, rng)
        return points[most_uncertain(surrogate.variance(points), count)] if self.screening else points

    def _report(self, told: Told, known: Observed) -> None:
        """What the models do without; each is said once."""
        if known.failed:
            many = f"{known.failed} of {len(told.values)} merges gave no scores"
            self._say("failed", f"{many}: they count as the worst ones so far")
        for column in np.flatnonzero(known.constant).tolist():
            name, value = self.names[column], np.nanmax(told.values[:, column])
            self._say(name, f"objective {name}: constant so far at {value:g}, left out of the model")

    def _say(self, key: str, line: str) -> None:
        if key not in self._said:
            self._said.add(key)
            _log.warning("%s", line)
