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

Known = dict[str, tuple[Stack, tuple[float, ...]]]
"""Digest -> stack and raw scores (K,)."""


class KnownStacks:
    """What processes learn from.

    Args:
        space: Stacks that it does not allow are left out.
        normaliser: Brings scores to units in which 1 is the best source.
    """

    def __init__(self, space: StackSpace, normaliser: Normaliser) -> None:
        self._space, self._normaliser = space, normaliser
        self._known: Known = {}
        self._partly: Known = {}  # judged where some of the objectives were not asked for
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

    @property
    def partly(self) -> list[Stack]:
        """M more stacks, of which not all objectives are known."""
        return [stack for stack, _ in self._partly.values()]

    @property
    def evidence(self) -> tuple[list[Stack], Array]:
        """All N + M stacks, and their normalised scores (N + M, K); NaN where an objective is not known."""
        found = [*self._partly.values(), *self._known.values()]
        return [stack for stack, _ in found], self._normaliser([scores for _, scores in found])

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
                self._partly.pop(recipe.digest, None)
                self._stacks.add(repr(stack))

    def inherit(self, other: KnownStacks) -> list[Recipe]:
        """Take note of what was judged elsewhere, in another space or for other objectives of the same names.

        Returns:
            Stacks that are wholly known now and were not before.
        """
        taken = []
        for digest, (recipe, named) in other.by_name().items():
            if writable(self._space, recipe) and digest not in self._known:
                stack = self._space.encode(recipe)
                scores = tuple(named.get(name, np.nan) for name in self._normaliser.names)
                whole = not np.isnan(scores).any()
                (self._known if whole else self._partly)[digest] = (stack, scores)
                if whole:
                    self._stacks.add(repr(stack))
                    taken.append(recipe)
        return taken

    def by_name(self) -> dict[str, tuple[Recipe, dict[str, float]]]:
        """Digest -> recipe and raw scores by objective, of what is wholly known and follows no preference."""
        found = {}
        for digest, ((layers, host), scores) in self._known.items():
            if not self._space.follows(layers, host):
                recipe = self._space.recipe(layers, host)
                found[digest] = (recipe, dict(zip(self._normaliser.names, scores, strict=True)))
        return found

    def scores(self, recipe: Recipe) -> Scores:
        """What a known stack scored."""
        return Scores(self._normaliser.names, self._known[recipe.digest][1])

    def to_json(self) -> dict[str, Any]:
        """The content as a JSON value."""
        return {"known": _listed(self._known), "partly": _listed(self._partly)}

    def restore(self, value: dict[str, Any]) -> None:
        """Read what `to_json` wrote."""
        self._known, self._partly = _read(value["known"]), _read(value["partly"])
        self._stacks = {repr(stack) for stack in self.stacks}


def _listed(known: Known) -> list[Any]:
    """JSON has no NaN: null."""
    return [
        [digest, stack, [None if np.isnan(score) else score for score in scores]]
        for digest, (stack, scores) in known.items()
    ]


def _read(value: list[Any]) -> Known:
    return {
        digest: ((list(layers), host), tuple(np.nan if score is None else score for score in scores))
        for digest, (layers, host), scores in value
    }
