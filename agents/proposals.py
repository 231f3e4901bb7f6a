"""What a trained policy proposes for given preferences: its favourite stack, samples, or the most likely ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from agents.choice import sample
from agents.policy import NaturalPolicy
from envs.episodes import Episodes
from envs.space import Ints, StackSpace
from hm3.objectives import Array
from hm3.recipe import Recipe

ROUNDS = 4  # of sampling, until there are as many distinct stacks as were asked for


def propose(
    policy: NaturalPolicy,
    space: StackSpace,
    preferences: Array,
    per_preference: int,
    *,
    greedy: bool = True,
    rng: np.random.Generator,
) -> list[Recipe]:
    """Up to `per_preference` distinct stacks for each preference.

    Args:
        policy: The networks.
        space: What they were trained on.
        preferences: (P, K) weights.
        per_preference: Most stacks for one preference.
        greedy: Whether the first one takes the likeliest action at each step; the others are sampled.
        rng: For the samples.

    Returns:
        All of them, each once, in the order of the preferences.
    """
    found: list[dict[str, Recipe]] = [{} for _ in preferences]
    if greedy:
        _add(found, np.arange(len(preferences)), _write(policy, space, preferences, None), per_preference)
    for _ in range(ROUNDS):
        lacking = np.repeat(np.arange(len(found)), [per_preference - len(known) for known in found])
        if not len(lacking):
            break
        _add(found, lacking, _write(policy, space, preferences[lacking], rng), per_preference)
    return _distinct(recipe for known in found for recipe in known.values())


def beam(policy: NaturalPolicy, space: StackSpace, preferences: Array, width: int) -> list[Recipe]:
    """The stacks of highest log-probability that a beam search of `width` finds for each preference (P, K).

    Returns:
        At most P * width stacks, each once: by preference, then by falling log-probability.
    """
    episodes = Episodes(space, len(preferences) * width)
    episodes.reset(np.repeat(preferences, width, axis=0))
    totals = np.full((len(preferences), width), -np.inf)
    totals[:, 0] = 0.0  # at first all beams of a preference are the same
    while len(episodes.running):
        joint = totals.reshape(-1, 1) + _extensions(policy, episodes)
        joint = joint.reshape(len(preferences), -1)
        best = np.argsort(-joint, axis=1, kind="stable")[:, :width]
        totals = np.take_along_axis(joint, best, axis=1)
        beams, actions = np.divmod(best, space.actions)
        # A beam that does not exist (-inf) follows a real one, so that every action taken is legal.
        dead = np.isinf(totals)
        beams, actions = np.where(dead, beams[:, :1], beams), np.where(dead, actions[:, :1], actions)
        episodes = episodes.take((np.arange(len(preferences))[:, None] * width + beams).ravel())
        episodes.step(actions.ravel())
    return _distinct(episodes.recipes(np.flatnonzero(~np.isinf(totals.ravel()))))


def values(policy: NaturalPolicy, episodes: Episodes, rows: Ints | None = None) -> Array:
    """(M,) what the value network expects of stacks that are partly written, under their preferences."""
    return policy.assess(episodes.observe(rows), episodes.masks(rows))[1]


def _extensions(policy: NaturalPolicy, episodes: Episodes) -> Array:
    """(N, actions) log-probability of each legal next action, -inf elsewhere; one that has ended stays as it is."""
    masks, rows = episodes.masks(), episodes.running
    result = np.where(masks, 0.0, -np.inf)
    result[rows] += policy.assess(episodes.observe(rows), masks[rows])[0]
    return result


def _write(
    policy: NaturalPolicy, space: StackSpace, preferences: Array, rng: np.random.Generator | None
) -> list[Recipe]:
    """One stack for each preference (N, K): sampled, or greedy without a generator."""
    episodes = Episodes(space, len(preferences))
    episodes.reset(preferences)
    while len(rows := episodes.running):
        log_probs, _ = policy.assess(episodes.observe(rows), episodes.masks(rows))
        episodes.step(log_probs.argmax(axis=1) if rng is None else sample(log_probs, rng), rows)
    return episodes.recipes()


def _add(found: list[dict[str, Recipe]], owners: Ints, recipes: list[Recipe], most: int) -> None:
    for owner, recipe in zip(owners.tolist(), recipes, strict=True):
        if len(found[owner]) < most:
            found[owner].setdefault(recipe.digest, recipe)


def _distinct(recipes: Iterable[Recipe]) -> list[Recipe]:
    return list({recipe.digest: recipe for recipe in recipes}.values())
