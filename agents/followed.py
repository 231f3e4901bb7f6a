"""What is worth learning of stacks with layers that follow a preference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from agents.kept import Kept
from agents.moves import Stack
from hm3.objectives import Array, Normaliser, Utility


class Lessons(NamedTuple):
    """Stacks to be learnt.

    Attributes:
        preferences: (N, K) for which they are to be written.
        stacks: N stacks.
        utilities: (N,) what they are worth for these.
    """

    preferences: Array
    stacks: list[Stack]
    utilities: Array


class Followed:
    """The best stacks with layers that follow a preference, each with the one for which it was written.

    For another preference the same layers would be another model, of which nothing is known. So a stack is taught for
    its own preference alone, whoever would like it.
    """

    def __init__(self) -> None:
        self._kept: Kept[tuple[Stack, tuple[float, ...]]] = Kept()

    def add(self, stack: Stack, preference: Sequence[float], values: Array) -> None:
        """Keep a stack and the preference (K,) for which it was written, if its scores (K,) are worth it."""
        if not self._kept.covers(values):
            self._kept.admit((stack, tuple(preference)), values)

    def instead(self, lessons: Lessons, normaliser: Normaliser, utility: Utility) -> Lessons:
        """The lessons; where a stack kept here is better for the preference, that stack for its own preference."""
        if not self._kept.items:
            return lessons
        which, found = self._kept.best(lessons.preferences, normaliser, utility)
        better = found > lessons.utilities
        stacks, own = zip(*(self._kept.items[number] for number in which.tolist()), strict=True)
        worth = utility(normaliser(self._kept.values[which]), np.array(own))
        return Lessons(
            np.where(better[:, None], own, lessons.preferences),
            [ours if wins else theirs for ours, theirs, wins in zip(stacks, lessons.stacks, better, strict=True)],
            np.where(better, worth, lessons.utilities),
        )

    def to_json(self) -> dict[str, Any]:
        """The content as a JSON value."""
        return {"items": self._kept.items, "values": self._kept.values.tolist()}

    def restore(self, value: dict[str, Any]) -> None:
        """Read what `to_json` wrote."""
        items = [((list(layers), host), tuple(own)) for (layers, host), own in value["items"]]
        self._kept.restore(items, value["values"])
