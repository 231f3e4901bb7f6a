"""Scalarisations: K losses and a preference become the one number that training lowers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from hm3.errors import ConfigurationError


class Scalarisation(Protocol):
    """A function g of losses (n, K) and weights (n, K), row by row; smaller is better."""

    def value(self, losses: Tensor, weights: Tensor) -> Tensor:
        """(n,) what training lowers."""
        ...

    def gradient(self, losses: Tensor, weights: Tensor) -> Tensor:
        """(n, K) how fast the value rises with each loss, dg/df_k."""
        ...


@dataclass(frozen=True)
class Linear:
    """The weighted sum: ``g = sum_k w_k f_k``. Its optima lie on the convex part of a front only."""

    def value(self, losses: Tensor, weights: Tensor) -> Tensor:
        """(n,) weighted sums."""
        return (weights * losses).sum(-1)

    def gradient(self, losses: Tensor, weights: Tensor) -> Tensor:
        """(n, K) the weights themselves."""
        return weights.to(losses).expand_as(losses)


@dataclass(frozen=True)
class SmoothTchebycheff:
    """The smooth maximum of the weighted losses: ``g = mu log sum_k exp(w_k (f_k - z_k) / mu)``.

    Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective Optimization" (ICML 2024), equation 9. Here w_k is
    K times the k-th weight, so that at equal weights all are 1 and the smoothing is the same for two experts and eight.
    It exceeds the maximum by at most ``mu log K``.

    Attributes:
        smoothing: mu, in units of the losses (1 = the loss of the base); towards 0 it becomes the maximum.
        ideal: z, below what any loss reaches; one number for all k. Losses that are distances cannot pass 0.

    Raises:
        ConfigurationError: The smoothing is not above 0.
    """

    smoothing: float = 0.1
    ideal: float = 0.0

    def __post_init__(self) -> None:
        if not self.smoothing > 0:
            raise ConfigurationError(f"smooth Tchebycheff: a smoothing above 0, got {self.smoothing!r}")

    def value(self, losses: Tensor, weights: Tensor) -> Tensor:
        """(n,) smooth maxima."""
        return self.smoothing * torch.logsumexp(self._exponents(losses, weights), -1)

    def gradient(self, losses: Tensor, weights: Tensor) -> Tensor:
        """(n, K) weights times K, each times its share of the maximum; the shares sum to 1."""
        shares = torch.softmax(self._exponents(losses, weights), -1)
        return shares * self._times_count(weights).to(losses)

    def _exponents(self, losses: Tensor, weights: Tensor) -> Tensor:
        return self._times_count(weights).to(losses) * (losses - self.ideal) / self.smoothing

    @staticmethod
    def _times_count(weights: Tensor) -> Tensor:
        return weights * weights.shape[-1]
