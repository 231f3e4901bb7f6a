"""What every rival asks before it knows anything: the sources themselves, then draws from the natural order."""

from __future__ import annotations

import numpy as np

from agents.moves import Stack
from agents.random_search import random_stacks
from envs.natural import natural_prior
from envs.space import StackSpace
from hm3.objectives import Array


class Start:
    """The sources' own stacks, as far as the space allows them, and random ones.

    Args:
        space: What is legal.
        beta: Strength of the natural prior.
    """

    def __init__(self, space: StackSpace, beta: float) -> None:
        self._space = space
        self._logits: Array = beta * natural_prior(space)

    def identities(self) -> list[Stack]:
        """The stacks that rebuild a source under its own hosts, in the pool's order."""
        own = [(recipe, self._space.encode(recipe)) for recipe in self._space.pool.identities()]
        return [stack for recipe, stack in own if self._space.allows(stack[0]) and self._space.recipe(*stack) == recipe]

    def natural(self, count: int, rng: np.random.Generator) -> list[Stack]:
        """Draws from the natural prior, as `agents.RandomSearch` has them."""
        return [self._space.encode(recipe) for recipe in random_stacks(self._space, self._logits, count, rng)]
