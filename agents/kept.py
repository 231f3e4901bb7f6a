"""What no other known thing is at least as good as."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from envs.space import Ints
from hm3.objectives import Array, Normaliser, Utility

T = TypeVar("T")


class Kept(Generic[T]):
    """Things with scores, of which no other is at least as good everywhere.

    Attributes:
        items: N things.
        values: (N, K) their raw scores.
    """

    def __init__(self) -> None:
        self.items: list[T] = []
        self.values: Array = np.zeros((0, 0))

    def covers(self, values: Array) -> bool:
        """Whether something known is at least as good as scores (K,)."""
        return len(self.items) > 0 and bool((self.values >= values).all(axis=1).any())

    def admit(self, item: T, values: Array) -> None:
        """Keep a thing with scores (K,) that nothing covers, and drop what it covers."""
        old = self.values.reshape(len(self.items), len(values))
        kept = ~np.all(old <= values, axis=1)
        self.items = [one for one, keep in zip(self.items, kept, strict=True) if keep] + [item]
        self.values = np.vstack([old[kept], values])

    def restore(self, items: list[T], values: list[list[float]]) -> None:
        """Keep these instead."""
        self.items, self.values = items, np.array(values) if items else np.zeros((0, 0))

    def best(self, preferences: Array, normaliser: Normaliser, utility: Utility) -> tuple[Ints, Array]:
        """The number of the best thing for each preference (N, K), and its utility (N,)."""
        utilities = utility(normaliser(self.values)[None], preferences[:, None])
        best: Ints = utilities.argmax(axis=1)
        return best, utilities[np.arange(len(best)), best]
