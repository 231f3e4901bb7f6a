"""Known stacks that are worth learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.followed import Followed, Lessons
from agents.kept import Kept
from agents.moves import Stack
from envs.space import StackSpace
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.recipe import Recipe


class Memory:
    """The stacks that no other known one is at least as good as, with their scores.

    Stacks whose layers follow a preference are remembered apart, each for its own; see `Followed`.

    Args:
        space: Stacks that it does not allow are not remembered.
    """

    def __init__(self, space: StackSpace) -> None:
        self._space = space
        self._kept: Kept[Stack] = Kept()
        self._followed = Followed()

    @property
    def stacks(self) -> list[Stack]:
        """N stacks that are the same for every preference."""
        return self._kept.items

    @property
    def values(self) -> Array:
        """(N, K) their raw scores."""
        return self._kept.values

    def add(self, recipes: Sequence[Recipe], scores: Sequence[Scores], preferences: Array | None = None) -> None:
        """Remember what is worth it.

        Args:
            recipes: N stacks.
            scores: Their scores.
            preferences: (N, K) for which they were written; None takes equal weights.
        """
        for number, (recipe, score) in enumerate(zip(recipes, scores, strict=True)):
            values = np.array(score.values)
            if not score.valid:
                continue
            if self._space.conditioned_of(recipe):
                own = np.full(len(values), 1 / len(values)) if preferences is None else preferences[number]
                self._follow(recipe, own.tolist(), values)
            elif not self._kept.covers(values) and writable(self._space, recipe):
                self._kept.admit(self._space.encode(recipe), values)

    def best(self, preferences: Array, normaliser: Normaliser, utility: Utility) -> tuple[list[Stack], Array]:
        """The best stack for each preference (N, K) that is the same for every one, and its utility (N,)."""
        best, utilities = self._kept.best(preferences, normaliser, utility)
        return [self.stacks[number] for number in best.tolist()], utilities

    def lessons(self, preferences: Array, normaliser: Normaliser, utility: Utility) -> Lessons:
        """What to learn for preferences (N, K): the best stack for each, under a preference for which it is known."""
        known = Lessons(preferences, *self.best(preferences, normaliser, utility))
        return self._followed.instead(known, normaliser, utility)

    def to_json(self) -> dict[str, Any]:
        """The content as a JSON value."""
        followed = {} if self._space.pool.conditioned is None else {"followed": self._followed.to_json()}
        return {"stacks": self.stacks, "values": self.values.tolist(), **followed}

    def restore(self, value: dict[str, Any]) -> None:
        """Read what `to_json` wrote."""
        self._kept.restore([(list(layers), host) for layers, host in value["stacks"]], value["values"])
        if "followed" in value:
            self._followed.restore(value["followed"])

    def _follow(self, recipe: Recipe, own: list[float], values: Array) -> None:
        """Remember a stack for the preference (K,) for which it was written, if it was."""
        written_for_it = self._space.conditioned_of(recipe) == self._space.pool.conditioned_on(own)
        if written_for_it and writable(self._space, recipe):
            self._followed.add(self._space.encode(recipe), own, values)


def writable(space: StackSpace, recipe: Recipe) -> bool:
    """Whether an episode can write a stack."""
    known = {source.name for source in recipe.sources} <= set(space.pool.names)
    if not known or (space.picks_host and recipe.embedding_host != recipe.head_host):
        return False
    return space.allows(space.encode(recipe)[0])
