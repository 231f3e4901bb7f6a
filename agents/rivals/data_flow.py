"""Sakana's data-flow genotype: which layers of a fixed list a stack takes."""

from __future__ import annotations

import numpy as np

from agents.rivals.genomes import NOTHING, Genomes
from envs.episodes import Episodes
from envs.space import Ints, StackSpace
from hm3.objectives import Array


class DataFlow:
    """The layers of all sources in order, listed `repeats` times: T slots, each taken if its number is above 0.

    Akiba et al. (2025), section on the data-flow space, without the scaling of inputs, which would be other models than
    everyone else's here. Where hosts are searched, S numbers more follow, the largest of which picks the host.

    Args:
        space: What is legal.
        genomes: Of the space.
        repeats: How often the list is repeated, r there.
    """

    def __init__(self, space: StackSpace, genomes: Genomes, repeats: int) -> None:
        self._space, self._genomes = space, genomes
        self.slots: Ints = np.tile(np.flatnonzero(space.exists), repeats)

    @property
    def dimensions(self) -> int:
        """Numbers of a genotype, D."""
        return len(self.slots) + (self._space.sources if self._space.picks_host else 0)

    def decode(self, points: Array) -> Ints:
        """(N, G) the genomes of genotypes (N, D).

        A slot whose layer is not legal after those before is passed over. Where the slots end before the least depth,
        natural successors follow.
        """
        episodes = Episodes(self._space, len(points))
        if self._space.picks_host:
            episodes.step(self._space.stop + 1 + points[:, len(self.slots) :].argmax(axis=1))
        ahead = points[:, : len(self.slots)] > 0
        for _ in range(self._space.rules.max_depth):
            legal = ahead & episodes.masks()[:, self.slots]
            rows, first = np.flatnonzero(legal.any(axis=1)), legal.argmax(axis=1)
            episodes.step(self.slots[first[rows]], rows)
            ahead[rows] &= np.arange(len(self.slots)) > first[rows, None]
        for _ in range(self._space.rules.min_depth):
            self._genomes.write(episodes, np.full(len(points), NOTHING), left=0)
        return self._genomes.written(episodes)

    def encode(self, genome: Ints) -> Array:
        """(D,) 1 where a stack's layers (G,) are found, each in the first slot after the one before; -1 elsewhere.

        A stack that needs more repeats than there are loses the layers that come too late.
        """
        point, slot = np.full(self.dimensions, -1.0), 0
        ((layers, host),) = self._genomes.decode(genome[None])
        for action in layers:
            found = np.flatnonzero(self.slots[slot:] == action)
            if len(found):
                slot += int(found[0]) + 1
                point[slot - 1] = 1.0
        if self._space.picks_host:
            point[len(self.slots) + host - 1] = 1.0
        return point
