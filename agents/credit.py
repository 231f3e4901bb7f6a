"""How the utility of a whole stack is laid onto the actions that wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from envs.space import Ints
from hm3.objectives import Array


class Credit(Protocol):
    """Makes rewards from utilities."""

    def __call__(self, utilities: Array, lengths: Ints, prefixes: Array | None = None) -> Array:
        """Rewards of every action.

        Args:
            utilities: (N,) utility of each episode's stack.
            lengths: (N,) number of actions of each episode, at most T.
            prefixes: (N, T) utility of what stood before each action, for credit that needs it.

        Returns:
            (N, T), 0 after an episode's end; T is the longest length.
        """
        ...


@dataclass(frozen=True)
class Terminal:
    """All of it on the last action."""

    def __call__(self, utilities: Array, lengths: Ints, prefixes: Array | None = None) -> Array:
        """Rewards (N, T)."""
        steps = np.arange(lengths.max())
        rewards: Array = np.where(steps == lengths[:, None] - 1, utilities[:, None], 0.0)
        return rewards


@dataclass(frozen=True)
class Spread:
    """An equal part on each of an episode's actions, as in the HM3 paper."""

    def __call__(self, utilities: Array, lengths: Ints, prefixes: Array | None = None) -> Array:
        """Rewards (N, T)."""
        steps = np.arange(lengths.max())
        rewards: Array = np.where(steps < lengths[:, None], (utilities / lengths)[:, None], 0.0)
        return rewards
