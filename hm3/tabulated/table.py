"""The scores of all stacks whose layer i is layer i of one of the sources, and of all that such stacks begin with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hm3.errors import ConfigurationError
from hm3.objectives import Array
from hm3.recipe import Source

STEPS = 65_535  # from a score of 0 to one of 1: rounding is off by 7.7e-6 at most
Paths = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StackTable:
    """Scores from 0 to 1 of S sources of one depth D; hosts are those of the path's two ends.

    A path is D numbers of sources. Paths of one length are in lexicographic order, shorter ones before longer ones.

    Attributes:
        sources: S of them.
        depth: D.
        names: K objectives.
        floors: (K,) scores that count as 0.
        made_from: What was asked, by digest, and on how many items: ``count``, ``items``, ``tasks``, in this order.
        counts: (S + S^2 + ... + S^D, K) scores in units of ``1 / STEPS``.

    Raises:
        ConfigurationError: There are more or fewer rows than paths.
    """

    sources: tuple[Source, ...]
    depth: int
    names: tuple[str, ...]
    floors: tuple[float, ...]
    made_from: tuple[tuple[str, str | int], ...]
    counts: NDArray[np.uint16]

    def __post_init__(self) -> None:
        shape = (paths_of(len(self.sources), self.depth), len(self.names))
        if self.counts.shape != shape or self.counts.dtype != np.uint16:
            raise ConfigurationError(f"table: uint16 scores {shape}, got {self.counts.dtype} {self.counts.shape}")

    @cached_property
    def scores(self) -> Array:
        """The scores of everything, as `counts` has them."""
        return self.counts / STEPS

    @property
    def stacks(self) -> Array:
        """(S^D, K) scores of the whole stacks, in lexicographic order."""
        return self.scores[paths_of(len(self.sources), self.depth - 1) :]

    def rows(self, paths: Paths) -> Paths:
        """(N,) row of each path (N, length) of source numbers."""
        base = len(self.sources)
        powers = base ** np.arange(paths.shape[1])[::-1]
        return paths @ powers + paths_of(base, paths.shape[1] - 1)

    def at(self, paths: Paths) -> Array:
        """(N, K) scores of paths (N, length): what judges many stacks at once, without recipes."""
        found: Array = self.scores[self.rows(paths)]
        return found

    def paths(self, length: int) -> Paths:
        """All paths of a length, (S^length, length), in the order of their rows."""
        numbers = np.arange(len(self.sources) ** length)
        powers = len(self.sources) ** np.arange(length)[::-1]
        return numbers[:, None] // powers % len(self.sources)


def paths_of(sources: int, depth: int) -> int:
    """The number of paths of 1 to `depth` layers."""
    return sum(sources**length for length in range(1, depth + 1))


def as_counts(scores: Array) -> NDArray[np.uint16]:
    """Scores from 0 to 1 as a table holds them.

    Raises:
        ConfigurationError: One is outside.
    """
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ConfigurationError(f"table: scores from 0 to 1, got {np.nanmin(scores)} to {np.nanmax(scores)}")
    return np.rint(scores * STEPS).astype(np.uint16)
