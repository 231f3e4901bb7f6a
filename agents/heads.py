"""How the networks' last layer becomes an action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from agents.policy import NaturalPolicy
from envs.space import StackSpace


class Head(Protocol):
    """Names a policy for `agents.PPO`, and what it is built with."""

    @property
    def policy(self) -> type[NaturalPolicy]:
        """The policy's class."""
        ...

    def settings(self, space: StackSpace) -> dict[str, Any]:
        """Its keyword arguments beyond those that every policy takes."""
        ...


@dataclass(frozen=True)
class Masked:
    """One logit for each action, and a mask over what is illegal."""

    @property
    def policy(self) -> type[NaturalPolicy]:
        """The policy's class."""
        return NaturalPolicy

    def settings(self, space: StackSpace) -> dict[str, Any]:
        """Nothing more."""
        return {}
