"""A rollout: whole episodes, written in lockstep by a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from agents.acts import Acts, joined
from agents.policy import NaturalPolicy
from agents.states import Batch, States
from envs.episodes import Episodes
from envs.space import Ints, StackSpace
from hm3.objectives import Array
from hm3.recipe import Recipe


@dataclass(frozen=True)
class Rollout:
    """N episodes with M actions in all; an action is found by its episode and its step in it.

    Attributes:
        recipes: N stacks.
        preferences: (N, K) under which they were written.
        episodes: (M,) episode of each action.
        steps: (M,) step of each action in its episode.
        seen: What was seen and done: the states, which episodes of one stack share.
        states: (M,) the state in which each action was done.
        log_probs: (M,) its log-probability.
        values: (M,) value of the state before it.
    """

    recipes: list[Recipe]
    preferences: Array
    episodes: Ints
    steps: Ints
    seen: States
    states: Ints
    log_probs: Array
    values: Array

    @property
    def lengths(self) -> Ints:
        """(N,) number of actions of each episode."""
        return np.bincount(self.episodes, minlength=len(self.recipes))

    @property
    def batch(self) -> Batch:
        """All actions, for the networks."""
        device = self.seen.actions.device
        states, owners = (torch.as_tensor(column, device=device) for column in (self.states, self.episodes))
        return Batch(self.seen, states, torch.as_tensor(self.preferences, dtype=torch.float32, device=device), owners)


def play(policy: NaturalPolicy, space: StackSpace, preferences: Array, rng: np.random.Generator) -> Rollout:
    """Write one stack for each preference (N, K); only unfinished episodes are looked at."""
    episodes = Episodes(space, len(preferences))
    episodes.reset(preferences)
    parts: list[tuple[Ints, Ints, Acts]] = []
    while len(rows := episodes.running):
        acts = policy.act(episodes, rows, rng)
        parts.append((rows, np.full(len(rows), len(parts)), acts))
        episodes.step(acts.actions, rows)
    where, steps, each = zip(*parts, strict=True)
    owners, acts = np.concatenate(where), joined(each)
    states = policy.states(acts.observations, acts.masks, acts.meant, owners)
    return Rollout(
        episodes.recipes(),
        preferences,
        owners,
        np.concatenate(steps),
        states,
        np.arange(len(owners)),
        acts.log_probs,
        acts.values,
    )
