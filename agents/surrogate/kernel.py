"""How alike two stacks are."""

from __future__ import annotations

import torch
from torch import Tensor

START = (0.0, -1.0, 0.0, 1.0, 0.0, -4.0)  # logarithms; what the data contradict moves away from here
PULL = 0.05  # half the inverse variance of the logarithms' normal prior around these
LEAST, MOST = -8.0, 5.0


def covariance(shared: tuple[Tensor, Tensor], settings: Tensor) -> Tensor:
    """Covariance (N, M) of stacks that share a part of their layers u and of their neighbours v.

    ``s1 u + s2 v + s3 exp(-a (1 - u) - b (1 - v))``: what each layer and each meeting adds on its own, and what all of
    them do together. Sums and exponentials of covariances are covariances.

    Args:
        shared: (N, M) each, of `Features.shared`.
        settings: (6,) logarithms of s1, s2, s3, a, b, and of the variance of noise, which is not in here.
    """
    layers, neighbours = shared
    s1, s2, s3, a, b, _ = settings.exp()
    result: Tensor = s1 * layers + s2 * neighbours + s3 * torch.exp(-a * (1 - layers) - b * (1 - neighbours))
    return result


def noise(settings: Tensor) -> Tensor:
    """The variance of noise, and what keeps a Cholesky factor possible."""
    result: Tensor = settings[5].exp() + 1e-6
    return result


def unlikeliness(settings: Tensor) -> Tensor:
    """Minus the logarithm of the settings' prior, but for a constant."""
    result: Tensor = PULL * (settings - settings.new_tensor(START)).square().sum()
    return result
