"""What an observation says about a stack that is still being written: its normalised early-exit scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hm3.exits import PrefixEvaluator
from hm3.objectives import Normaliser
from hm3.recipe import Recipe

LIMIT = 4.0  # what is shown stays within ±LIMIT; 1 is the best source

Floats = NDArray[np.float32]


class Exits:
    """Shows early exits; asks an evaluator for each of them once, many at a time.

    Args:
        evaluator: Reads early exits.
        normaliser: Brings scores to units in which 1 is the best source.
    """

    def __init__(self, evaluator: PrefixEvaluator, normaliser: Normaliser) -> None:
        self._evaluator, self._normaliser = evaluator, normaliser
        self._known: dict[str, Floats] = {}

    def __call__(self, stacks: Sequence[Recipe | None]) -> Floats:
        """(M, 1 + K) for each stack: 1 and its K scores; only zeros for None, where no layer is written yet."""
        self._ask({stack.digest: stack for stack in stacks if stack is not None and stack.digest not in self._known})
        shown = np.zeros((len(stacks), 1 + len(self._evaluator.names)), np.float32)
        for row, stack in enumerate(stacks):
            if stack is not None:
                shown[row, 0], shown[row, 1:] = 1.0, self._known[stack.digest]
        return shown

    def _ask(self, unknown: dict[str, Recipe]) -> None:
        if not unknown:
            return
        scores = self._evaluator.early(list(unknown.values()))
        values = self._normaliser([each.values for each in scores]).clip(-LIMIT, LIMIT).astype(np.float32)
        self._known.update(zip(unknown, values, strict=True))
