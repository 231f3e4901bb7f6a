"""The reward as a vector, in MO-Gymnasium's convention."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from envs.episodes import Observation
from envs.stack_env import StackEnv
from hm3.objectives import Array


class VectorReward(gym.Wrapper[Observation, np.int64, Observation, np.int64]):
    """Rewards with the vector of normalised scores at the end, zeros before.

    Observation: as before, and ``returns`` (K,), the return so far: utilities that are not linear need it.
    Reward: (K,) float64; `reward_space` describes it and `reward_dim` is K.

    Args:
        env: A `StackEnv`, wrapped or not.
    """

    def __init__(self, env: gym.Env[Observation, np.int64]) -> None:
        super().__init__(env)
        stack = env.unwrapped
        assert isinstance(stack, StackEnv), f"env: a StackEnv inside, got {stack}"
        self._normalise = stack.normaliser
        self.reward_space = stack.reward_space
        self.reward_dim = self.reward_space.shape[0]
        returns = gym.spaces.Box(-np.inf, np.inf, (self.reward_dim,), np.float32)
        assert isinstance(env.observation_space, gym.spaces.Dict)
        self.observation_space = gym.spaces.Dict({**env.observation_space.spaces, "returns": returns})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._with_returns(observation, np.zeros(self.reward_dim)), info

    def step(self, action: np.int64) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Take one action; the reward is a vector."""
        observation, _, terminated, truncated, info = self.env.step(action)
        reward = self._normalise(info["scores"]) if terminated else np.zeros(self.reward_dim)
        return self._with_returns(observation, reward), reward, terminated, truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(actions,) what is legal now."""
        masks: NDArray[np.bool_] = self.env.get_wrapper_attr("action_masks")()
        return masks

    def _with_returns(self, observation: Observation, returns: Array) -> Observation:
        return {**observation, "returns": returns.astype(np.float32)}
