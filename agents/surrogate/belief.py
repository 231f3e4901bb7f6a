"""What is believed of all stacks after those that are known: processes, fitted when they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from agents.surrogate.features import Features, features
from agents.surrogate.known import KnownStacks
from agents.surrogate.process import StackProcess
from envs.space import StackSpace
from hm3.objectives import Array
from hm3.recipe import Recipe

REFIT = 1.2  # settings are looked at again when so many times as many stacks are known
STEPS = 40  # of Adam then


class Belief:
    """Gaussian processes over the known stacks.

    Args:
        space: Of the stacks.
        known: What they learn from; it may grow.
    """

    def __init__(self, space: StackSpace, known: KnownStacks) -> None:
        self._space, self._known = space, known
        self._process: StackProcess | None = None
        self._settings: list[list[float]] | None = None
        self._learnt, self._fitted = 0, 0

    def means(self, recipes: Sequence[Recipe]) -> Array:
        """(M, K) what stacks are expected to score, normalised."""
        return self._current().predict(self._features(recipes))[0]

    def worlds(self, recipes: Sequence[Recipe], count: int, rng: np.random.Generator) -> Array:
        """(count, M, K) joint draws of what they might."""
        return self._current().samples(self._features(recipes), count, rng)

    def to_json(self) -> dict[str, Any]:
        """What cannot be derived from the known stacks, as a JSON value."""
        return {"settings": self._settings, "fitted": self._fitted}

    def restore(self, value: dict[str, Any]) -> None:
        """Read what `to_json` wrote."""
        self._settings, self._fitted = value["settings"], value["fitted"]
        self._process, self._learnt = None, 0

    def _features(self, recipes: Sequence[Recipe]) -> Features:
        return features(self._space, [self._space.encode(recipe) for recipe in recipes])

    def _current(self) -> StackProcess:
        count = len(self._known)
        if self._process is None or self._learnt != count:
            due = self._settings is None or count >= REFIT * self._fitted
            start = (
                None if self._settings is None else [torch.tensor(row, dtype=torch.float64) for row in self._settings]
            )
            known = features(self._space, self._known.stacks)
            self._process = StackProcess.fit(known, self._known.values, steps=STEPS if due else 0, start=start)
            self._settings = [row.tolist() for row in self._process.settings]
            self._fitted = count if due else self._fitted
            self._learnt = count
        return self._process
