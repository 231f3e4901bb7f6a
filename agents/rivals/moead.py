"""MOEA/D over stacks: one stack for each direction, bred with its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from pymoo.algorithms.moo import moead
from pymoo.core.duplicate import NoDuplicateElimination
from pymoo.decomposition.tchebicheff import Tchebicheff

from agents.rivals.evolution import Evolution
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import whole
from hm3.lattice import das_dennis
from hm3.objectives import Array, Normaliser, Utility

LEAST = 1e-4  # weight of an objective, so that a corner's stack still likes the others to be good


class MOEAD(Evolution):
    """pymoo's MOEA/D (Zhang and Li, 2007) with their Tchebycheff distance to the best scores known.

    Directions come in random order; each child competes for its direction and the neighbours of that. What was told
    without having been asked for competes around the direction that it suits best.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: Not needed.
        sampler: Tells the number of objectives.
        seed: Of all generators.
        divisions: Of the lattice of directions.
        neighbours: Directions among which parents are drawn, and children compete.
        crossover: ``uniform`` or ``two_point``.
        mutation: Share of children that are changed in one place, too.
        beta: Strength of the natural prior in the first generation.

    Raises:
        ConfigurationError: No division, fewer than 2 neighbours, an unknown crossover, or a share outside 0 to 1.
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
        neighbours: int = 20,
        crossover: str = "uniform",
        mutation: float = 0.8,
        beta: float = 2.0,
    ) -> None:
        self.directions = np.maximum(das_dennis(sampler.objectives, whole("agent.divisions", divisions, 1)), LEAST)
        self._neighbours = whole("agent.neighbours", neighbours, 2)
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

    def _begin(self) -> None:
        super()._begin()
        self._places: dict[bytes, int] = {}

    def _made(self, first: Ints, values: Array, **operators: Any) -> Any:
        """Each direction begins with what suits it best."""
        best = self._distances(values, values.max(axis=0)).argmin(axis=0)
        return moead.ParallelMOEAD(
            self.directions,
            n_neighbors=min(self._neighbours, len(self.directions)),
            decomposition=Tchebicheff(),
            sampling=first[best],
            **operators,
        )

    def _ready(self, algorithm: Any) -> Any:
        """Every mating counts, since each belongs to a direction."""
        algorithm = super()._ready(algorithm)
        algorithm.mating.eliminate_duplicates = NoDuplicateElimination()
        return algorithm

    def _propose(self, count: int) -> Ints:
        """As many times all directions as it takes, and what is left."""
        children = [self._natural(0)]
        while self._algorithm is not None and count > 0:
            children.append(super()._propose(min(count, len(self.directions))))
            places = self._algorithm.indices
            children[-1] = self._fresh(children[-1], *children[:-1])
            self._places.update(zip(map(bytes, children[-1]), places.tolist(), strict=True))
            count -= len(children[-1])
        return np.vstack(children)

    def _advance(self, genomes: Ints, values: Array) -> None:
        best = self._distances(values, -self._algorithm.ideal).argmin(axis=1)
        places = [self._places.pop(bytes(genome), place) for genome, place in zip(genomes, best.tolist(), strict=True)]
        self._algorithm.indices = np.array(places)
        super()._advance(genomes, values)

    def _distances(self, values: Array, best: Array) -> Array:
        """(N, directions) from scores (N, K) to the best ones (K,)."""
        distances: Array = (self.directions * np.maximum(best - values, 0)[:, None]).max(axis=-1)
        return distances
