"""Stacks as rows of integers of one length, as evolution and kernels want them; any row becomes a legal stack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.moves import Stack
from envs.episodes import Episodes
from envs.space import Ints, StackSpace
from hm3.objectives import Array

NOTHING = 0  # the gene that skips its place


class Genomes:
    """A genome has `max_depth` genes, 1 + a layer's action or 0 to skip the place, and one for a host that is searched.

    In what comes out, the layers come first and the zeros last, so that no stack has two genomes.

    Args:
        space: Of the stacks.
    """

    def __init__(self, space: StackSpace) -> None:
        self._space = space
        self._depth = space.rules.max_depth
        self._strangeness = _strangeness(space)
        self._successor = _successors(space)

    @property
    def width(self) -> int:
        """Genes of a genome, G."""
        return self._depth + int(self._space.picks_host)

    @property
    def symbols(self) -> Ints:
        """(G,) the largest value of each gene."""
        sources = [self._space.sources] * int(self._space.picks_host)
        return np.array([self._space.stop] * self._depth + sources)

    def encode(self, stacks: Sequence[Stack]) -> Ints:
        """(N, G) the genomes of legal stacks."""
        genomes = np.zeros((len(stacks), self.width), dtype=np.int64)
        for genome, (layers, host) in zip(genomes, stacks, strict=True):
            genome[: len(layers)] = np.asarray(layers) + 1
            genome[self._depth :] = host
        return genomes

    def decode(self, genomes: Ints) -> list[Stack]:
        """The stacks of genomes (N, G) that `encode` or `repair` made."""
        paths = genomes[:, : self._depth].tolist()
        hosts = genomes[:, -1].tolist() if self._space.picks_host else [self._space.fixed_host] * len(genomes)
        return [([gene - 1 for gene in path if gene], host) for path, host in zip(paths, hosts, strict=True)]

    def repair(self, genomes: Ints) -> Ints:
        """(N, G) genomes of legal stacks that are close to any genomes (N, G); those of legal stacks stay.

        From the first layer to the last: a layer that is not legal becomes the legal one of the nearest index, of its
        own source where there are two such. A place is skipped where no layer is legal, and only as long as the least
        depth remains in reach; there the last layer's natural successor stands.
        """
        episodes = Episodes(self._space, len(genomes))
        if self._space.picks_host:
            episodes.step(self._space.stop + genomes[:, -1])
        for place in range(self._depth):
            self.write(episodes, genomes[:, place], self._depth - place - 1)
        return self.written(episodes)

    def written(self, episodes: Episodes) -> Ints:
        """(N, G) the genomes of what episodes have written so far."""
        return np.hstack([episodes.path, episodes.host[:, None]])[:, : self.width]

    def write(self, episodes: Episodes, genes: Ints, left: int) -> None:
        """Write one gene (N,) in each episode as `repair` does, where `left` places are left after this one."""
        due = (genes == NOTHING) & (episodes.length + left < self._space.rules.min_depth)
        genes = np.where(due, self._successor[episodes.tokens()], genes)
        rows = np.flatnonzero(genes != NOTHING)
        legal = episodes.masks(rows)[:, : self._space.stop]
        possible = legal.any(axis=1)
        rows, legal = rows[possible], legal[possible]
        nearest = np.where(legal, self._strangeness[genes[rows] - 1], np.inf).argmin(axis=1)
        episodes.step(nearest, rows)


def _strangeness(space: StackSpace) -> Array:
    """(S * L, S * L) how unlike layers are: above all by index, then by how far on the second's source comes."""
    source, layer = np.divmod(np.arange(space.stop), space.layers)
    further = (source - source[:, None]) % space.sources
    strangeness: Array = np.abs(layer - layer[:, None]) + further / space.sources
    return strangeness


def _successors(space: StackSpace) -> Ints:
    """(tokens,) the gene of the layer that naturally comes after each token; a last layer's is itself."""
    successors = np.ones(space.tokens, dtype=np.int64)
    for action in range(space.stop):
        last = action % space.layers == space.layers - 1
        successors[1 + action] = 1 + action + (not last)
    successors[1 + space.stop :] = 1 + np.arange(space.sources) * space.layers
    return successors
