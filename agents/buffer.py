"""A rollout in minibatches, as `MaskablePPO.train` asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.rollout import Rollout
from agents.states import Batch
from hm3.objectives import Array


class Samples(NamedTuple):
    """A minibatch of M actions, with the names that sb3-contrib gives its parts; see `NaturalPolicy.evaluate_actions`.

    Attributes:
        observations: The actions and what was seen; masks are in it.
        actions: (M,).
        old_values: (M,) at the time of the rollout.
        old_log_prob: (M,) at the time of the rollout.
        advantages: (M,).
        returns: (M,).
        action_masks: None.
    """

    observations: Batch
    actions: Tensor
    old_values: Tensor
    old_log_prob: Tensor
    advantages: Tensor
    returns: Tensor
    action_masks: None = None


class EpisodeBuffer:
    """Stands where SB3 has its rollout buffer, and holds exactly the actions of one rollout.

    Minibatches are shuffled by the agent's own generator: libraries that score models reseed NumPy's global one
    (lm-eval does on every call), which would repeat one order for ever.

    Args:
        rollout: The rollout.
        advantages: (M,) of its actions.
        rng: For the order.
    """

    def __init__(self, rollout: Rollout, advantages: Array, rng: np.random.Generator) -> None:
        self._batch, self._rng = rollout.batch, rng
        self.values, self.log_probs, self.advantages = (
            column.astype(np.float32) for column in (rollout.values, rollout.log_probs, advantages)
        )
        self.returns = self.advantages + self.values
        names = ("values", "log_probs", "advantages", "returns")
        self._columns = [torch.as_tensor(getattr(self, name), device=self._batch.rows.device) for name in names]

    def get(self, batch_size: int) -> Iterator[Samples]:
        """All actions in minibatches of about `batch_size`.

        A minibatch has whole episodes, shuffled, each with all its preferences, so that a path is read once; and each
        has about as many: a small last one would count as much as the others.
        """
        rows, states = self._batch.rows, self._batch.states
        parts = min(len(states.ends), max(1, round(len(rows) / batch_size)))
        order = self._rng.permutation(len(states.ends)) % parts
        part_of = torch.as_tensor(order, device=rows.device)[states.episodes[rows]]
        for part in range(parts):
            chosen = torch.nonzero(part_of == part)[:, 0]
            batch = self._batch.select(chosen)
            values, log_probs, advantages, returns = (column[chosen] for column in self._columns)
            yield Samples(batch, batch.states.actions[batch.rows], values, log_probs, advantages, returns)
