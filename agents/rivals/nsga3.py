"""NSGA-III over stacks: NSGA-II for many objectives."""

from __future__ import annotations

from typing import Any

from pymoo.algorithms.moo import nsga3

from agents.rivals.evolution import Evolution
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import whole
from hm3.lattice import das_dennis
from hm3.objectives import Array, Normaliser, Utility


class NSGA3(Evolution):
    """pymoo's NSGA-III (Deb and Jain, 2014): survival by rank, then by niches around reference directions.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: Not needed.
        sampler: Tells the number of objectives.
        seed: Of all generators.
        divisions: Of the lattice of reference directions; as many stacks survive as it has points.
        crossover: ``uniform`` or ``two_point``.
        mutation: Share of children that are changed in one place, too.
        beta: Strength of the natural prior in the first generation.

    Raises:
        ConfigurationError: No division, an unknown crossover, or a share outside 0 to 1.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        divisions: int = 12,
        crossover: str = "uniform",
        mutation: float = 0.8,
        beta: float = 2.0,
    ) -> None:
        self.directions = das_dennis(sampler.objectives, whole("agent.divisions", divisions, 1))
        super().__init__(
            space,
            normaliser,
            utility,
            sampler,
            seed=seed,
            initial=len(self.directions),
            crossover=crossover,
            mutation=mutation,
            beta=beta,
        )

    def _made(self, first: Ints, values: Array, **operators: Any) -> Any:
        return nsga3.NSGA3(self.directions, sampling=first, **operators)
