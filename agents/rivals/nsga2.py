"""NSGA-II over stacks: the rival that every reviewer asks for."""

from __future__ import annotations

from typing import Any

from pymoo.algorithms.moo import nsga2

from agents.rivals.evolution import Evolution
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import whole
from hm3.objectives import Array, Normaliser, Utility


class NSGA2(Evolution):
    """pymoo's NSGA-II (Deb et al., 2002): survival by non-dominated rank, then by crowding distance.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: Not needed.
        sampler: Tells the number of objectives.
        seed: Of all generators.
        population: Stacks that survive a generation.
        crossover: ``uniform`` or ``two_point``.
        mutation: Share of children that are changed in one place, too.
        beta: Strength of the natural prior in the first generation.

    Raises:
        ConfigurationError: A population below 4, an unknown crossover, or a share outside 0 to 1.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        population: int = 100,
        crossover: str = "uniform",
        mutation: float = 0.8,
        beta: float = 2.0,
    ) -> None:
        self._size = whole("agent.population", population, 4)
        super().__init__(
            space,
            normaliser,
            utility,
            sampler,
            seed=seed,
            initial=population,
            crossover=crossover,
            mutation=mutation,
            beta=beta,
        )

    def _made(self, first: Ints, values: Array, **operators: Any) -> Any:
        return nsga2.NSGA2(pop_size=self._size, sampling=first, **operators)
