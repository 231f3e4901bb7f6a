"""Regularised evolution: tournaments among the youngest, and the oldest dies."""

from __future__ import annotations

from collections import deque

import numpy as np

from agents.moves import mutate
from agents.rivals.rival import Rival
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import whole
from hm3.objectives import Array, Normaliser, Utility


class RegularisedEvolution(Rival):
    """Ageing evolution (Real et al., 2019, algorithm 1), each tournament under a preference of its own.

    The population is a queue. A child is one legal change away from the winner of a tournament: of `tournament` stacks,
    drawn with replacement, the one of the largest utility for a preference from the sampler. Children join when they
    are judged, and the oldest leave, however good they are.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws each tournament's preference.
        seed: Of the generator.
        population: Stacks that live at a time, P there.
        tournament: Stacks that compete, S there.
        beta: Strength of the natural prior in the first population.

    Raises:
        ConfigurationError: A population or a tournament below 1.
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
        tournament: int = 25,
        beta: float = 2.0,
    ) -> None:
        self._size = whole("agent.population", population, 1)
        self._tournament = whole("agent.tournament", tournament, 1)
        super().__init__(space, normaliser, utility, sampler, seed=seed, initial=population, beta=beta)

    @property
    def population(self) -> Ints:
        """(P, G) the genomes that live, oldest first."""
        return np.array([genome for genome, _ in self._alive])

    def _begin(self) -> None:
        self._alive: deque[tuple[Ints, Array]] = deque(maxlen=self._size)

    def _learn(self, genomes: Ints, values: Array) -> None:
        self._alive.extend(zip(genomes, values, strict=True))

    def _propose(self, count: int) -> Ints:
        if not self._alive:
            return self._natural(0)
        parents = self._genomes.decode(self.population[self._winners(count)])
        return self._genomes.encode([mutate(self._space, parent, self._rng) or parent for parent in parents])

    def _winners(self, count: int) -> Ints:
        """(count,) numbers of stacks in the population."""
        values = np.array([row for _, row in self._alive])
        rivals = self._rng.integers(len(values), size=(count, self._tournament))
        preferences = self._sampler(count, self._rng)
        best = self._utility(values[rivals], preferences[:, None]).argmax(axis=1)
        winners: Ints = rivals[np.arange(count), best]
        return winners
