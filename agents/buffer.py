"""SB3's rollout buffer, filled at once from whole episodes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib.common.maskable.buffers import MaskableDictRolloutBuffer, MaskableDictRolloutBufferSamples

from agents.rollout import Rollout
from hm3.objectives import Array


class EpisodeBuffer(MaskableDictRolloutBuffer):
    """Holds exactly the actions of one rollout.

    Minibatches are shuffled by the agent's own generator: libraries that score models reseed NumPy's global one
    (lm-eval does on every call), which would repeat one order for ever.
    """

    rng: np.random.Generator

    def fill(self, rollout: Rollout, advantages: Array, rng: np.random.Generator) -> None:
        """Take a rollout and the advantages (M,) of its actions."""
        self.rng = rng
        self.observations = {
            key: values.reshape(self.buffer_size, 1, *self.obs_shape[key])
            for key, values in rollout.observations.items()
        }
        self.actions = rollout.actions.reshape(-1, 1, 1)
        self.action_masks = rollout.masks[:, None].astype(np.float32)
        for name, column in (("values", rollout.values), ("log_probs", rollout.log_probs), ("advantages", advantages)):
            setattr(self, name, column.astype(np.float32)[:, None])
        self.returns = self.advantages + self.values
        self.pos, self.full = self.buffer_size, True

    def get(  # type: ignore[override]  # sb3-contrib overrides SB3 with another type too
        self, batch_size: int | None = None
    ) -> Generator[MaskableDictRolloutBufferSamples, None, None]:
        """All actions in shuffled minibatches, as sb3-contrib yields them."""
        if not self.generator_ready:
            self.observations = {key: self.swap_and_flatten(values) for key, values in self.observations.items()}
            for name in ("actions", "values", "log_probs", "advantages", "returns", "action_masks"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.generator_ready = True
        order = self.rng.permutation(self.buffer_size)
        for start in range(0, self.buffer_size, batch_size or self.buffer_size):
            yield self._get_samples(order[start : start + (batch_size or self.buffer_size)])


def filled_buffer(
    rollout: Rollout,
    advantages: Array,
    observation_space: gym.Space[Any],
    rng: np.random.Generator,
    device: torch.device | str,
) -> Any:
    """The buffer of one rollout, ready for `MaskablePPO.train` (whose annotation knows no dict buffers)."""
    actions = gym.spaces.Discrete(rollout.masks.shape[1])
    buffer = EpisodeBuffer(len(rollout.actions), cast(gym.spaces.Dict, observation_space), actions, device)
    buffer.fill(rollout, advantages, rng)
    return buffer
