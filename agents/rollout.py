"""A rollout: whole episodes, written in lockstep by a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from agents.policy import NaturalPolicy
from agents.states import Batch, States
from envs.episodes import Episodes, Observation
from envs.space import Bools, Ints, StackSpace
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


def sample(log_probs: Array, rng: np.random.Generator) -> Ints:
    """(M,) actions drawn from log-probabilities (M, actions)."""
    actions: Ints = (log_probs + rng.gumbel(size=log_probs.shape)).argmax(axis=1)
    return actions


def play(policy: NaturalPolicy, space: StackSpace, preferences: Array, rng: np.random.Generator) -> Rollout:
    """Write one stack for each preference (N, K); only unfinished episodes are looked at."""
    episodes = Episodes(space, len(preferences))
    episodes.reset(preferences)
    parts: list[tuple[Ints, Ints, Observation, Bools, Ints, Array, Array]] = []
    while len(rows := episodes.running):
        observations, masks = episodes.observe(rows), episodes.masks(rows)
        log_probs, values = policy.assess(observations, masks)
        actions = sample(log_probs, rng)
        steps, chosen = np.full(len(rows), len(parts)), log_probs[np.arange(len(rows)), actions]
        parts.append((rows, steps, observations, masks, actions, chosen, values))
        episodes.step(actions, rows)
    where, steps_, seen, *rest = zip(*parts, strict=True)
    masks_, actions_, log_probs_, values_ = (np.concatenate(part) for part in rest)
    observations = {key: np.concatenate([part[key] for part in seen]) for key in seen[0]}
    owners = np.concatenate(where)
    states = policy.states(observations, masks_, actions_, owners)
    steps, numbers = np.concatenate(steps_), np.arange(len(owners))
    return Rollout(episodes.recipes(), preferences, owners, steps, states, numbers, log_probs_, values_)
