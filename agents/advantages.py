"""Generalised advantage estimation over whole episodes."""

from __future__ import annotations

import numpy as np

from envs.space import Ints
from hm3.objectives import Array


def advantages(rewards: Array, values: Array, lengths: Ints, *, gamma: float, gae_lambda: float) -> Array:
    """Advantage of every action; every episode ends by itself, so nothing is bootstrapped at its end.

    Args:
        rewards: (N, T) reward of each action.
        values: (N, T) value of the state before each action.
        lengths: (N,) number of actions of each episode.
        gamma: Discount.
        gae_lambda: 0 trusts the values, 1 the rewards.

    Returns:
        (N, T), 0 after an episode's end.
    """
    inside = np.arange(rewards.shape[1]) < lengths[:, None]
    values = np.where(inside, values, 0.0)
    result = np.zeros_like(values)
    following, ahead = np.zeros(len(values)), np.zeros(len(values))
    for step in range(rewards.shape[1] - 1, -1, -1):
        error = rewards[:, step] + gamma * following - values[:, step]
        ahead = np.where(inside[:, step], error + gamma * gae_lambda * ahead, 0.0)
        following = values[:, step]
        result[:, step] = ahead
    return result
