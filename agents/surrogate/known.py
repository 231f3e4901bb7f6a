"""All stacks that have been judged, and what they scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import moocore
import numpy as np

from agents.memory import writable
from agents.moves import Stack
from envs.space import StackSpace
from hm3.objectives import Array, Normaliser, Scores
from hm3.recipe import Recipe


class KnownStacks:
    """What processes learn from.

    Args:
        space: Stacks that it does not allow are left out.
        normaliser: Brings scores to units in which 1 is the best source.
    """

    def __init__(self, space: StackSpace, normaliser: Normaliser) -> None:
        self._space, self._normaliser = space, normaliser
        self._known: dict[str, tuple[Stack, tuple[float, ...]]] = {}
        self._stacks: set[str] = set()

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, recipe: Recipe) -> bool:
        return recipe.digest in self._known

    @property
    def stacks(self) -> list[Stack]:
        """N stacks, in the order in which they came."""
        return [stack for stack, _ in self._known.values()]

    @property
    def values(self) -> Array:
        """(N, K) their normalised scores."""
        return self._normaliser([scores for _, scores in self._known.values()])

    def unknown(self, stacks: Iterable[Stack]) -> list[Stack]:
        """Those that may be new, each once; layers that follow a preference may be new under another one."""
        once = {repr(stack): stack for stack in stacks}
        return [stack for key, stack in once.items() if key not in self._stacks or self._space.follows(*stack)]

    def front(self) -> tuple[list[Stack], Array]:
        """The F stacks that nothing known dominates, and their normalised scores (F, K)."""
        values, stacks = self.values, self.stacks
        best = np.flatnonzero(moocore.is_nondominated(values, maximise=True))
        return [stacks[number] for number in best], values[best]

    def add(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take note of what was judged; models that gave no scores teach nothing here."""
        for recipe, score in zip(recipes, scores, strict=True):
            if score.valid and writable(self._space, recipe):
                stack = self._space.encode(recipe)
                self._known[recipe.digest] = (stack, score.values)
                self._stacks.add(repr(stack))

    def to_json(self) -> list[Any]:
        """The content as a JSON value."""
        return [[digest, *known] for digest, known in self._known.items()]

    def restore(self, value: list[Any]) -> None:
        """Read what `to_json` wrote."""
        self._known = {digest: ((list(layers), host), tuple(scores)) for digest, (layers, host), scores in value}
        self._stacks = {repr(stack) for stack in self.stacks}
