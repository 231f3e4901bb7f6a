"""More from every evaluation: a stack's scores say what it is worth under any preference, not only under its own."""

from __future__ import annotations

import dataclasses

import numpy as np

from agents.policy import NaturalPolicy
from agents.rollout import Rollout
from envs.preferences import PreferenceSampler
from hm3.objectives import Array


def relabel(
    rollout: Rollout, policy: NaturalPolicy, sampler: PreferenceSampler, times: int, rng: np.random.Generator
) -> Rollout:
    """Add episodes as the policy would have written them for other preferences.

    Each episode is offered to `times` other preferences. One takes it with probability ``min(1, p'/p)``, where p and
    p' are the policy's probabilities of writing it under the old and the new preference: what is taken is distributed
    as if it had been written for the new one, as far as the old one writes such stacks at all.
    """
    parts = [rollout, *(_offered(rollout, policy, sampler(len(rollout.recipes), rng), rng) for _ in range(times))]
    return concatenate(parts)


def concatenate(rollouts: list[Rollout]) -> Rollout:
    """The episodes of several rollouts as one."""
    starts = np.cumsum([0, *(len(one.recipes) for one in rollouts[:-1])])
    return Rollout(
        recipes=[recipe for one in rollouts for recipe in one.recipes],
        episodes=np.concatenate([one.episodes + start for one, start in zip(rollouts, starts, strict=True)]),
        observations={
            key: np.concatenate([one.observations[key] for one in rollouts]) for key in rollouts[0].observations
        },
        preferences=np.concatenate([one.preferences for one in rollouts]),
        steps=np.concatenate([one.steps for one in rollouts]),
        masks=np.concatenate([one.masks for one in rollouts]),
        actions=np.concatenate([one.actions for one in rollouts]),
        log_probs=np.concatenate([one.log_probs for one in rollouts]),
        values=np.concatenate([one.values for one in rollouts]),
    )


def _offered(rollout: Rollout, policy: NaturalPolicy, preferences: Array, rng: np.random.Generator) -> Rollout:
    """The episodes that new preferences (N, K), one for each, have taken."""
    seen = {**rollout.observations, "preference": preferences[rollout.episodes].astype(np.float32)}
    all_log_probs, values = policy.assess(seen, rollout.masks)
    log_probs = all_log_probs[np.arange(len(values)), rollout.actions]
    ratio = np.bincount(rollout.episodes, log_probs - rollout.log_probs, minlength=len(preferences))
    taken = np.log(rng.random(len(preferences))) < ratio
    offered = dataclasses.replace(
        rollout, preferences=preferences, observations=seen, log_probs=log_probs, values=values
    )
    return select(offered, taken)


def select(rollout: Rollout, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rollout:
    """Only the chosen (N,) episodes."""
    kept = chosen[rollout.episodes]
    return Rollout(
        recipes=[recipe for recipe, one in zip(rollout.recipes, chosen, strict=True) if one],
        preferences=rollout.preferences[chosen],
        episodes=(np.cumsum(chosen) - 1)[rollout.episodes[kept]],
        observations={key: column[kept] for key, column in rollout.observations.items()},
        steps=rollout.steps[kept],
        masks=rollout.masks[kept],
        actions=rollout.actions[kept],
        log_probs=rollout.log_probs[kept],
        values=rollout.values[kept],
    )
