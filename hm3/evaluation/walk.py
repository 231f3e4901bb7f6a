"""The walk over stacks in lexicographic order: what the next path shares with the last one is still at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from hm3.evaluation.prefixes import PrefixCache
from hm3.evaluation.routes import Route
from hm3.evaluation.rows import Bucket
from hm3.layers import LayerBank


class Walk:
    """Hidden states along the current path on one bucket; `descend` moves to the next path.

    Args:
        bank: The weights.
        cache: What recurs between walks.
        bucket: The rows.
        place: Names the bucket in the cache.
    """

    def __init__(self, bank: LayerBank, cache: PrefixCache, bucket: Bucket, place: tuple[int, int]) -> None:
        self._bank, self._cache, self._bucket, self._place = bank, cache, bucket, place
        self._start = ("", "")
        self._path: tuple[tuple[str, int], ...] = ()
        self._states: list[Tensor | None] = []  # after 0, 1, 2, … layers; None where a cached one was deeper

    def descend(self, route: Route, depth: int) -> Tensor:
        """Hidden states (rows, length, width) after the first `depth` layers of a stack."""
        path = route.stack.path[:depth]
        self._rewind(route.start, path)
        known, hidden = self._deepest(route, path)
        for layer in range(known, depth):
            crossing = route.crossings[layer]
            hidden = crossing.forward.layer(self._bank.layer(*path[layer]), crossing.over(hidden))
            self._states[layer + 1] = hidden
            self._cache.offer(self._key(path[: layer + 1]), hidden)
        return hidden

    def _rewind(self, start: tuple[str, str], path: tuple[tuple[str, int], ...]) -> None:
        """Keep what the last path and this one share; make room for the rest."""
        shared = _shared(self._path, path) if start == self._start else -1
        kept = self._states[: shared + 1]
        self._states = kept + [None] * (len(path) + 1 - len(kept))
        self._start, self._path = start, path

    def _deepest(self, route: Route, path: tuple[tuple[str, int], ...]) -> tuple[int, Tensor]:
        """The longest prefix whose hidden states are known, and these states."""
        self._cache.counts.lookups += len(path)
        for depth in range(len(path), 0, -1):
            hidden = self._states[depth]
            if hidden is None:
                hidden = self._cache.get(self._key(path[:depth]))
            if hidden is not None:
                self._cache.counts.hits += depth
                self._states[depth] = hidden
                return depth, hidden
        embedded = route.forward.begin(self._bank.embedding(route.stack.embedding), self._bucket.tokens)
        self._states[0] = embedded
        return 0, embedded

    def _key(self, prefix: tuple[tuple[str, int], ...]) -> tuple[object, ...]:
        return (*self._place, *self._start, prefix)


def _shared(first: Sequence[object], second: Sequence[object]) -> int:
    return sum(1 for _ in _equal_prefix(first, second))


def _equal_prefix(first: Sequence[object], second: Sequence[object]) -> Iterator[object]:
    for a, b in zip(first, second, strict=False):
        if a != b:
            return
        yield a
