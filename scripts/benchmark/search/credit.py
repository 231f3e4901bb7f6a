"""What a method is credited with: every stack that it has had judged, its training's included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hm3.objectives import Array, Scores
from hm3.recipe import Recipe
from scripts.benchmark.search.worlds import RODS, World

Step = tuple[int, float, float]
"""Number of different stacks judged, and the part of the true volume they have from then on, from each of `RODS`."""


@dataclass
class Credit:
    """The front of all different stacks judged so far, and how it grew.

    Attributes:
        world: The truth.
        asked: Stacks that were asked for, repeats included.
        values: Normalised scores (K,) of each different stack by digest.
        steps: Each time the front grew.
    """

    world: World
    asked: int = 0
    values: dict[str, Array] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _front: Array | None = None

    def __len__(self) -> int:
        """Different stacks."""
        return len(self.values)

    @property
    def shares(self) -> dict[str, float]:
        """The parts of the true volume that are found, by rod."""
        return dict(zip(RODS, self.steps[-1][1:] if self.steps else (0.0, 0.0), strict=True))

    def take(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Credit what was judged; each different stack counts once, in the order of asking."""
        self.asked += len(recipes)
        for recipe, each in zip(recipes, scores, strict=True):
            if recipe.digest not in self.values:
                self.values[recipe.digest] = self.world.normaliser(each.values)
                self._grow(self.values[recipe.digest])

    def _grow(self, point: Array) -> None:
        front = np.zeros((0, len(point))) if self._front is None else self._front
        if (front >= point).all(axis=1).any():
            return
        self._front = np.vstack([front[~(front <= point).all(axis=1)], point])
        found = self.world.shares(self._front)
        self.steps.append((len(self), round(found["nadir"], 5), round(found["zero"], 5)))
