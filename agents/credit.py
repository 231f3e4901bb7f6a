"""How the utility of a whole stack is laid onto the actions that wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agents.rollout import Rollout
from envs.rules import FOLLOW
from envs.space import Ints, StackSpace
from hm3.checks import number
from hm3.errors import ConfigurationError
from hm3.objectives import Array, Normaliser, Scores, Utility


class Credit(Protocol):
    """Makes rewards from utilities."""

    @property
    def needs_prefixes(self) -> bool:
        """Whether it asks for `prefixes`, which cost early exits."""
        ...

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

    needs_prefixes = False

    def __call__(self, utilities: Array, lengths: Ints, prefixes: Array | None = None) -> Array:
        """Rewards (N, T)."""
        steps = np.arange(lengths.max())
        rewards: Array = np.where(steps == lengths[:, None] - 1, utilities[:, None], 0.0)
        return rewards


@dataclass(frozen=True)
class Spread:
    """An equal part on each of an episode's actions, as in the HM3 paper."""

    needs_prefixes = False

    def __call__(self, utilities: Array, lengths: Ints, prefixes: Array | None = None) -> Array:
        """Rewards (N, T)."""
        steps = np.arange(lengths.max())
        rewards: Array = np.where(steps < lengths[:, None], (utilities / lengths)[:, None], 0.0)
        return rewards


@dataclass(frozen=True)
class Potential:
    """All of it on the last action, and on every action by how much it has changed the stack so far.

    An action from state s to s' is paid ``gamma * phi(s') - phi(s)`` more, where phi is the early-exit utility of what
    stands there under the episode's preference: 0 before the first layer and 0 after the end. Such payments leave the
    order of policies as it is (Ng, Harada and Russell, 1999): phi depends on nothing but the state, and with
    ``gamma = 1`` an episode's payments add up to ``-phi(start)``. That is 0 here, so that returns stay utilities; the
    value of a model without any layer, the other choice, would shift all returns of a preference alike.

    Attributes:
        gamma: The agent's discount.
        own_ends: That each beginning is read between the hosts of its own ends, as `hm3.tabulated` does it, and not
            below the finished stack's head: then phi is the state's own even where hosts follow the path.
    """

    gamma: float = 1.0
    own_ends: bool = False
    needs_prefixes = True

    def __call__(self, utilities: Array, lengths: Ints, prefixes: Array | None = None) -> Array:
        """Rewards (N, T)."""
        assert prefixes is not None, "prefixes: needed"
        before = np.where(np.arange(lengths.max()) < lengths[:, None], prefixes, 0.0)
        after = np.pad(before[:, 1:], ((0, 0), (0, 1)))
        rewards: Array = Terminal()(utilities, lengths) + self.gamma * after - before
        return rewards


def check_credit(credit: Credit, space: StackSpace, gamma: float) -> None:
    """See that credit which shapes rewards by what stands so far leaves the order of policies as it is.

    Raises:
        ConfigurationError: It is no credit, its discount is not the agent's, or what stands so far has no head yet.
    """
    if not isinstance(getattr(credit, "needs_prefixes", None), bool):
        raise ConfigurationError(f"agent.credit: agents.Terminal, agents.Spread or agents.Potential, got {credit!r}")
    if not credit.needs_prefixes:
        return
    own = number("agent.credit.gamma", getattr(credit, "gamma", gamma), 0, 1)
    if own != gamma:
        raise ConfigurationError(f"agent.credit.gamma: agent.gamma, which is {gamma:g}, got {own:g}")
    if space.rules.host == FOLLOW and not getattr(credit, "own_ends", False):
        rule = "env.host=searched or a source's name, so that a stack has its head from the start"
        raise ConfigurationError(f"agent.credit: {rule}, got follow")


def prefix_utilities(
    rollout: Rollout,
    prefixes: Mapping[str, Sequence[Scores]],
    space: StackSpace,
    normaliser: Normaliser,
    utility: Utility,
) -> Array:
    """(N, T) utility of what stood before each action, 0 where that was no layer.

    Args:
        rollout: N episodes.
        prefixes: Digest of each recipe -> its scores after 1, 2, … layers.
        space: Where the episodes were written.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What each episode's preference makes of them.
    """
    result = np.zeros((len(rollout.recipes), rollout.lengths.max()))
    first = int(space.picks_host) + 1  # action before which one layer stands
    for episode, (recipe, preference) in enumerate(zip(rollout.recipes, rollout.preferences, strict=True)):
        values = normaliser([scores.values for scores in prefixes[recipe.digest]])
        result[episode, first : first + recipe.depth] = utility(values, preference)
    return result
