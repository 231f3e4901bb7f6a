"""Which moves pay: drawn in proportion to how often they led onto the front."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from hm3.objectives import Array


class MoveStatistics:
    """Counts of moves tried and moves rewarded; every move keeps a chance.

    Args:
        count: Number of moves.
    """

    def __init__(self, count: int) -> None:
        self._tried = np.zeros(count)
        self._paid = np.zeros(count)
        self._pending: dict[str, int] = {}

    @property
    def chances(self) -> Array:
        """(moves,) probabilities: the shares of tries that paid, as after one try more of each kind."""
        rates = (self._paid + 1) / (self._tried + 2)
        result: Array = rates / rates.sum()
        return result

    def draw(self, rng: np.random.Generator) -> int:
        """A move, by its chance."""
        return int(rng.choice(len(self._tried), p=self.chances))

    def used(self, move: int, digest: str) -> None:
        """A move made this stack, which will be judged."""
        self._pending[digest] = move
        self._tried[move] += 1

    def reward(self, front: Collection[str]) -> None:
        """Reward the moves that made stacks of the front (digests) since the last time."""
        for digest, move in self._pending.items():
            self._paid[move] += digest in front
        self._pending = {}

    def to_json(self) -> dict[str, Any]:
        """The counts as a JSON value."""
        return {"tried": self._tried.tolist(), "paid": self._paid.tolist(), "pending": self._pending}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> MoveStatistics:
        """Read what `to_json` wrote."""
        statistics = cls(len(value["tried"]))
        statistics._tried, statistics._paid = np.array(value["tried"]), np.array(value["paid"])
        statistics._pending = dict(value["pending"])
        return statistics
