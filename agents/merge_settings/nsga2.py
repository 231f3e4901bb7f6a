"""NSGA-II over the unit cube of merge settings: the rival that every reviewer asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.merge_settings.fresh import is_fresh, uniform
from agents.merge_settings.population import begun, tell
from agents.merge_settings.proposer import Told
from hm3.checks import whole
from hm3.objectives import Array


class NSGA2:
    """pymoo's NSGA-II (Deb et al., 2002; simulated binary crossover, polynomial mutation), replayed from what was told.

    Generation by generation the algorithm is given what was judged; what it then asks for and has not been told is
    proposed. As long as only its own points are told, a search in batches is pymoo's own search.

    Args:
        dimensions: Of the cube, D.
        tasks: Not needed.
        names: Not needed.
        seed: Of pymoo's generator.
        population: Points of a generation.

    Raises:
        ConfigurationError: A population below 4, no dimension, or a seed below 0.
    """

    def __init__(
        self, *, dimensions: int, tasks: int = 0, names: Sequence[str] = (), seed: int = 0, population: int = 10
    ) -> None:
        self._dimensions = whole("proposer.dimensions", dimensions, 1)
        self._population = whole("parameter.proposer.population", population, 4)
        self._seed = whole("seed", seed, 0)

    @property
    def initial(self) -> int:
        """The first generation."""
        return self._population

    def propose(self, told: Told, count: int) -> Array:
        """What is left of the current generation, or of the next one."""
        algorithm, done = self._begun(told.values.shape[1]), 0
        while True:
            asked = self._asked(algorithm, told.points[:done])
            if done + len(asked) > len(told.points):
                break
            # What was judged, to the bit, even if another machine draws offspring that differ in the last one.
            asked.set("X", told.points[done : done + len(asked)])
            tell(algorithm, asked, told.values[done : done + len(asked)])
            done += len(asked)
        rest = asked.get("X")[len(told.points) - done :]
        new = rest[is_fresh(rest, told.points)]
        return (new if len(new) else self._uniform(told.points)[: len(rest)])[:count]

    def _begun(self, objectives: int) -> Any:
        from pymoo.algorithms.moo import nsga2

        algorithm = nsga2.NSGA2(pop_size=self._population, seed=self._seed)
        return begun(algorithm, self._dimensions, objectives)

    def _asked(self, algorithm: Any, before: Array) -> Any:
        """The next generation; uniform points where offspring cannot differ from their parents."""
        from pymoo.core.population import Population

        asked = algorithm.ask()
        return Population.new(X=self._uniform(before)) if asked is None else asked

    def _uniform(self, before: Array) -> Array:
        return uniform(self._population, before, np.random.default_rng([self._seed, len(before)]))
