"""The closed forms. Neither centres: a stock model could not shift its stream, only turn and scale it."""

from __future__ import annotations

import torch
from torch import Tensor


def size(states: Tensor) -> float:
    """How large hidden states (tokens, width) are: the mean over tokens of each token's root mean square.

    The root of the mean over all tokens would follow a few tokens that are a hundred times as large as the others.
    """
    return float(states.double().pow(2).mean(dim=1).sqrt().mean())


def rotation(left: Tensor, home: Tensor) -> Tensor:
    """The orthogonal (width, width) Q for which ``left @ Q`` is nearest to `home`: Procrustes, in float64.

    Args:
        left: (tokens, width) as they come.
        home: (tokens, width) what they should be, token by token.
    """
    u, _, v = torch.linalg.svd(left.double().T @ home.double(), full_matrices=False)
    nearest: Tensor = u @ v
    return nearest
