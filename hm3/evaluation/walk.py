"""The walk over stacks in lexicographic order: what the next path shares with the last one is still at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from hm3.evaluation.prefixes import PrefixCache
from hm3.evaluation.rows import Bucket
from hm3.layers import Forward, LayerBank


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
        self._host = ""
        self._path: tuple[tuple[str, int], ...] = ()
        self._states: list[Tensor | None] = []  # after 0, 1, 2, … layers; None where a cached one was deeper

    def descend(self, host: str, path: tuple[tuple[str, int], ...], forward: Forward) -> Tensor:
        """Hidden states (rows, length, width) after all layers of `path`, from the embedding of `host` on."""
        self._rewind(host, path)
        depth, hidden = self._deepest(host, path, forward)
        for layer in range(depth, len(path)):
            hidden = forward.layer(self._bank.layer(*path[layer]), hidden)
            self._states[layer + 1] = hidden
            self._cache.offer(self._key(path[: layer + 1]), hidden)
        return hidden

    def _rewind(self, host: str, path: tuple[tuple[str, int], ...]) -> None:
        """Keep what the last path and this one share; make room for the rest."""
        shared = _shared(self._path, path) if host == self._host else -1
        kept = self._states[: shared + 1]
        self._states = kept + [None] * (len(path) + 1 - len(kept))
        self._host, self._path = host, path

    def _deepest(self, host: str, path: tuple[tuple[str, int], ...], forward: Forward) -> tuple[int, Tensor]:
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
        embedded = forward.begin(self._bank.embedding(host), self._bucket.tokens)
        self._states[0] = embedded
        return 0, embedded

    def _key(self, prefix: tuple[tuple[str, int], ...]) -> tuple[object, ...]:
        return (*self._place, self._host, prefix)


def _shared(first: Sequence[object], second: Sequence[object]) -> int:
    return sum(1 for _ in _equal_prefix(first, second))


def _equal_prefix(first: Sequence[object], second: Sequence[object]) -> Iterator[object]:
    for a, b in zip(first, second, strict=False):
        if a != b:
            return
        yield a
