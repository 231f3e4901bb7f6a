"""Wolpertinger: a continuous proto-action, its nearest discrete actions, and the critic's choice among these.

Dulac-Arnold et al. (2015, arXiv 1512.07679), with PPO in place of DDPG, as in the HM3 paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agents.policy import NaturalPolicy
from agents.published.points import points
from agents.published.wolpertinger_policy import WolpertingerPolicy
from envs.space import StackSpace
from hm3.checks import number, whole


@dataclass(frozen=True)
class Wolpertinger:
    """Makes `agents.PPO` act as Wolpertinger does.

    The critic's choice depends on the preference and is no part of the density: with `relabels` above 0 episodes are
    offered to other preferences as if it did not.

    Attributes:
        neighbours: Discrete actions among which the critic chooses, M' in the HM3 paper, which gives no number; a
            tenth of 32 layers here (Dulac-Arnold et al. try 0.5, 5 and 10 %). 1 takes the nearest.
        epsilon: Chance that one of these is taken blindly. The paper gives no number.
        log_std: Logarithm of the Gaussian's deviation at first, in units in which all layers span less than 2; SB3's
            default.
    """

    neighbours: int = 3
    epsilon: float = 0.1
    log_std: float = 0.0

    def __post_init__(self) -> None:
        whole("agent.head.neighbours", self.neighbours, 1)
        number("agent.head.epsilon", self.epsilon, 0, 1)
        number("agent.head.log_std", self.log_std, -10, 10)

    @property
    def policy(self) -> type[NaturalPolicy]:
        """The policy's class."""
        return WolpertingerPolicy

    def settings(self, space: StackSpace) -> dict[str, Any]:
        """What `WolpertingerPolicy` is built with."""
        own = {"neighbours": self.neighbours, "epsilon": self.epsilon, "log_std": self.log_std}
        return {"points": points(space), **own}
