"""Can a path that has come this far still reach its least depth? Asked only where layers can run out.

Which source a layer comes from does not matter here, so a path is its last index and, for each index, how many uses
remain (over all sources).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

SEARCHABLE = 100_000  # states, up to which all continuations are searched


class Lookahead:
    """Decides whether a path can grow to `min_depth` layers, each within `reach` of its predecessor's successor.

    Args:
        capacity: (L,) uses that each layer index has in all.
        min_depth: Layers that a path must reach.
        reach: Furthest jump, or None for any order.
    """

    def __init__(self, capacity: Ints, min_depth: int, reach: int | None) -> None:
        self._capacity = tuple(int(uses) for uses in capacity)
        self._min_depth = min_depth
        self._reach = reach
        self._searchable = math.prod(uses + 1 for uses in self._capacity) * len(capacity) <= SEARCHABLE
        self._known: dict[tuple[int, tuple[int, ...]], bool] = {}

    @property
    def possible(self) -> bool:
        """Whether any path at all can reach the least depth: one that uses up index after index is the longest."""
        longest = len(self._capacity) if self._reach == 0 else sum(self._capacity)
        return longest >= self._min_depth

    @property
    def needed(self) -> bool:
        """Whether a legal beginning can run dry at all.

        It cannot in free order, where any use that is left will do; nor with reach 0, where every path counts up from
        0; nor where a single index, on which a path may stay, has enough uses.
        """
        return self._reach not in (None, 0) and min(self._capacity) < self._min_depth

    def after(self, remaining: Ints, last: Ints) -> Bools:
        """Which layer indices can be written next without running dry before the least depth.

        Args:
            remaining: (N, L) uses left of each index.
            last: (N,) index of the last layer, -1 at the start.

        Returns:
            (N, L); an index that is out of uses or out of reach may be either.
        """
        used = sum(self._capacity) - remaining.sum(axis=1)
        lacking = (self._min_depth - used - 1)[:, None]  # after one more layer
        fine: Bools = self._sweep(remaining) >= lacking
        for row, index in np.argwhere(~fine & (remaining > 0) & self._near(last)):
            left = remaining[row].copy()
            left[index] -= 1
            fine[row, index] = self._grows(int(index), tuple(left.tolist()))
        return fine

    def _sweep(self, remaining: Ints) -> Ints:
        """Layers that surely follow one at each index: use it up, then the next above that is in reach, and so on."""
        assert self._reach is not None
        layers = remaining.shape[1]
        total = np.zeros_like(remaining)  # from here upwards, this index included
        ahead = np.zeros(len(remaining), dtype=np.int64)
        gap = np.full(len(remaining), self._reach + 1)
        for index in range(layers - 1, -1, -1):
            uses = remaining[:, index]
            total[:, index] = uses + np.where(gap <= self._reach, ahead, 0)
            ahead = np.where(uses > 0, total[:, index], ahead)
            gap = np.where(uses > 0, 0, gap + 1)
        return total - 1

    def _near(self, last: Ints) -> Bools:
        assert self._reach is not None
        near: Bools = np.abs(np.arange(len(self._capacity)) - (last[:, None] + 1)) <= self._reach
        return near

    def _grows(self, last: int, remaining: tuple[int, ...]) -> bool:
        """Whether a path can go on from here to the least depth.

        In spaces too large to search only one plan is tried: always the lowest index, which is the hardest to come
        back to. What that plan reaches it also reaches after its own first step, so a mask is never empty; it may hide
        some beginnings that only a cleverer plan could finish.
        """
        return self._search(last, remaining) if self._searchable else self._climb(last, remaining)

    def _search(self, last: int, remaining: tuple[int, ...]) -> bool:
        """Exact: depth first over all continuations."""
        lacking = self._lacking(remaining)
        if lacking <= 0 or sum(remaining) < lacking:
            return lacking <= 0
        if (last, remaining) not in self._known:
            self._known[last, remaining] = any(
                self._search(index, (*remaining[:index], remaining[index] - 1, *remaining[index + 1 :]))
                for index in self._open(last, remaining)
            )
        return self._known[last, remaining]

    def _climb(self, last: int, remaining: tuple[int, ...]) -> bool:
        """The plan: always the lowest index in reach."""
        left = list(remaining)
        for _ in range(self._lacking(remaining)):
            index = next(self._open(last, left), None)
            if index is None:
                return False
            left[index] -= 1
            last = index
        return True

    def _lacking(self, remaining: Sequence[int]) -> int:
        return self._min_depth - (sum(self._capacity) - sum(remaining))

    def _open(self, last: int, remaining: Sequence[int]) -> Iterator[int]:
        """Indices in reach that have uses left, lowest first."""
        assert self._reach is not None
        low, high = max(0, last + 1 - self._reach), min(len(remaining), last + 2 + self._reach)
        return (index for index in range(low, high) if remaining[index])
