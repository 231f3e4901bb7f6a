"""Given stacks as a rollout, as if the policy had just written them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from agents.imitation import replay
from agents.moves import Stack
from agents.policy import NaturalPolicy
from agents.rollout import Rollout
from agents.states import Batch, States
from envs.space import Ints, StackSpace
from hm3.objectives import Array


def rewritten(policy: NaturalPolicy, space: StackSpace, preferences: Array, stacks: Sequence[Stack]) -> Rollout:
    """The rollout of N stacks under preferences (N, K); probabilities and values are those of the policy now.

    The stacks are not drawn from the policy: what learns from them by PPO is off-policy.
    """
    observations, masks, actions, episodes = replay(space, preferences, stacks)
    seen, numbers = policy.states(observations, masks, actions, episodes), np.arange(len(episodes))
    recipes = [space.recipe(layers, host) for layers, host in stacks]
    blank = np.zeros(len(episodes))
    rollout = Rollout(recipes, preferences, episodes, _steps(episodes), seen, numbers, blank, blank)
    log_probs, values = _judged(policy, rollout.batch)
    return Rollout(recipes, preferences, episodes, rollout.steps, seen, numbers, log_probs, values)


def stacked(first: Rollout, second: Rollout) -> Rollout:
    """The episodes of two rollouts, each with its own states."""
    return Rollout(
        recipes=first.recipes + second.recipes,
        preferences=np.concatenate([first.preferences, second.preferences]),
        episodes=np.concatenate([first.episodes, second.episodes + len(first.recipes)]),
        steps=np.concatenate([first.steps, second.steps]),
        seen=_states(first.seen, second.seen),
        states=np.concatenate([first.states, second.states + len(first.seen.actions)]),
        log_probs=np.concatenate([first.log_probs, second.log_probs]),
        values=np.concatenate([first.values, second.values]),
    )


def _states(first: States, second: States) -> States:
    return States(
        {key: torch.cat([values, second.observations[key]]) for key, values in first.observations.items()},
        torch.cat([first.leaning, second.leaning]),
        torch.cat([first.actions, second.actions]),
        torch.cat([first.episodes, second.episodes + len(first.ends)]),
        torch.cat([first.ends, second.ends + len(first.actions)]),
    )


def _steps(episodes: Ints) -> Ints:
    """(M,) how many earlier entries name the same episode (M,)."""
    steps = np.zeros_like(episodes)
    for episode in range(int(episodes.max()) + 1):
        own = episodes == episode
        steps[own] = np.arange(own.sum())
    return steps


def _judged(policy: NaturalPolicy, batch: Batch) -> tuple[Array, Array]:
    """The batch's log-probabilities and values (M,)."""
    with torch.no_grad():
        values, log_probs, _ = policy.judge(batch)
    return log_probs.double().cpu().numpy(), values.double().cpu().numpy()
