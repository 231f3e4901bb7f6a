"""More from every evaluation: a stack's scores say what it is worth under any preference, not only under its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from agents.policy import NaturalPolicy
from agents.rollout import Rollout
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.objectives import Array


def relabel(
    rollout: Rollout,
    policy: NaturalPolicy,
    space: StackSpace,
    sampler: PreferenceSampler,
    times: int,
    rng: np.random.Generator,
) -> Rollout:
    """Add episodes as the policy would have written them for other preferences.

    Each episode is offered to `times` other preferences. One takes it with probability ``min(1, p'/p)``, where p and
    p' are the policy's probabilities of writing it under the old and the new preference: what is taken is distributed
    as if it had been written for the new one, as far as the old one writes such stacks at all. A stack with layers that
    follow the preference takes none: under another one it would have been another model.
    """
    if not times:
        return rollout
    offered = _offered(rollout, policy, np.concatenate([sampler(len(rollout.recipes), rng) for _ in range(times)]))
    written = np.bincount(rollout.episodes, rollout.log_probs)
    ratio = np.bincount(offered.episodes, offered.log_probs) - np.tile(written, times)
    bound = np.array([space.conditioned_of(recipe) is not None for recipe in offered.recipes])
    return joined(rollout, select(offered, (np.log(rng.random(len(ratio))) < ratio) & ~bound))


def joined(first: Rollout, second: Rollout) -> Rollout:
    """The episodes of two rollouts over the same states."""
    return Rollout(
        recipes=first.recipes + second.recipes,
        preferences=np.concatenate([first.preferences, second.preferences]),
        episodes=np.concatenate([first.episodes, second.episodes + len(first.recipes)]),
        steps=np.concatenate([first.steps, second.steps]),
        seen=first.seen,
        states=np.concatenate([first.states, second.states]),
        log_probs=np.concatenate([first.log_probs, second.log_probs]),
        values=np.concatenate([first.values, second.values]),
    )


def select(rollout: Rollout, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rollout:
    """Only the chosen (N,) episodes; the states stay as they are."""
    kept = chosen[rollout.episodes]
    return Rollout(
        recipes=[recipe for recipe, one in zip(rollout.recipes, chosen, strict=True) if one],
        preferences=rollout.preferences[chosen],
        episodes=(np.cumsum(chosen) - 1)[rollout.episodes[kept]],
        steps=rollout.steps[kept],
        seen=rollout.seen,
        states=rollout.states[kept],
        log_probs=rollout.log_probs[kept],
        values=rollout.values[kept],
    )


def _offered(rollout: Rollout, policy: NaturalPolicy, preferences: Array) -> Rollout:
    """A rollout's N episodes, all of them under the first N of new preferences (times * N, K), and so on."""
    count = len(rollout.recipes)
    times = len(preferences) // count
    offered = dataclasses.replace(
        rollout,
        recipes=rollout.recipes * times,
        preferences=preferences,
        episodes=(np.arange(times)[:, None] * count + rollout.episodes).ravel(),
        steps=np.tile(rollout.steps, times),
        states=np.tile(rollout.states, times),
    )
    with torch.no_grad():
        values, log_probs, _ = policy.judge(offered.batch)
    return dataclasses.replace(offered, log_probs=_doubles(log_probs), values=_doubles(values))


def _doubles(column: torch.Tensor) -> Array:
    result: Array = column.double().cpu().numpy()
    return result
