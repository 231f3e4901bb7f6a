"""The choice of an action: drawn by chance; how likely it was and how open, with the gradient in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.space import Ints
from hm3.objectives import Array

ILLEGAL = -1e8  # the logit of what a mask forbids, as in sb3-contrib


def sample(log_probs: Array, rng: np.random.Generator) -> Ints:
    """(M,) actions drawn from log-probabilities (M, actions)."""
    actions: Ints = (log_probs + rng.gumbel(size=log_probs.shape)).argmax(axis=1)
    return actions


class _Choice(torch.autograd.Function):
    """Automatic differentiation would go over the (M, actions) numbers three times as often."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        log_probs = logits.log_softmax(dim=1)
        probs = logits.softmax(dim=1)  # not exp: that takes a slow path where numbers vanish
        entropies = -(probs * log_probs).sum(dim=1)
        ctx.save_for_backward(log_probs, probs, entropies, actions)
        return log_probs.gather(1, actions[:, None])[:, 0], entropies

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        log_probs, probs, entropies, actions = ctx.saved_tensors
        of_chosen, of_entropy = (gradient[:, None] for gradient in gradients)
        result = (log_probs + entropies[:, None]).mul_(of_entropy).add_(of_chosen).mul_(probs).neg_()
        return result.scatter_add_(1, actions[:, None], of_chosen), None


def choice(logits: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """What a masked categorical distribution says of actions.

    Args:
        logits: (M, actions), about `ILLEGAL` where masked.
        actions: (M,) what was done.

    Returns:
        The actions' log-probabilities (M,) and the distributions' entropies (M,).
    """
    log_probs, entropies = _Choice.apply(logits, actions)  # type: ignore[no-untyped-call] # torch's own has no types
    return log_probs, entropies
