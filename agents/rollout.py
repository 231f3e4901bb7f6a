"""A rollout: whole episodes, written in lockstep by a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import NaturalPolicy
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
        observations: What was seen before each action.
        masks: (M, actions) what was legal.
        actions: (M,) what was done.
        log_probs: (M,) its log-probability.
        values: (M,) value of the state before it.
    """

    recipes: list[Recipe]
    preferences: Array
    episodes: Ints
    steps: Ints
    observations: Observation
    masks: Bools
    actions: Ints
    log_probs: Array
    values: Array

    @property
    def lengths(self) -> Ints:
        """(N,) number of actions of each episode."""
        return np.bincount(self.episodes, minlength=len(self.recipes))


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
    where, steps_, seen, masks_, actions_, log_probs_, values_ = zip(*parts, strict=True)
    observations = {key: np.concatenate([part[key] for part in seen]) for key in seen[0]}
    rest = (np.concatenate(part) for part in (masks_, actions_, log_probs_, values_))
    return Rollout(episodes.recipes(), preferences, np.concatenate(where), np.concatenate(steps_), observations, *rest)
