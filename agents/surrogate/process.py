"""A Gaussian process over stacks for each objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.surrogate.features import Features
from agents.surrogate.kernel import Kernel
from hm3.objectives import Array

RATE = 0.08  # of Adam on the kernel's settings
UNKNOWN = 1e6  # variance of the noise of a value that is not known, of a variance of 1


@dataclass(frozen=True)
class StackProcess:
    """What is known of K objectives after N stacks.

    Attributes:
        kernel: Of standardised values.
        means: (K,) of the values.
        scales: (K,) their deviations.
        points: (K, N, D) the known stacks.
        factor: (K, N, N) of their covariance.
        weights: (K, N, 1) of each stack in a prediction.
    """

    kernel: Kernel
    means: Array
    scales: Array
    points: Tensor
    factor: Tensor
    weights: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, kernel: Kernel, known: Features, values: Array) -> StackProcess:
        """Learn from values (N, K) of stacks under a kernel; NaN is not known."""
        means, scales = _standard(values)
        points = kernel.points(known)
        factor = kernel.factor(points, _missing(values))
        return cls(kernel, means, scales, points, factor, _solved(factor, _filled(values, means, scales)))

    @torch.no_grad()
    def predict(self, stacks: Features) -> tuple[Array, Array]:
        """Means and standard deviations (M, K) of what stacks are worth."""
        across = self.kernel.covariance(self.kernel.points(stacks), self.points)
        means = (across @ self.weights)[:, :, 0].T.numpy()
        gone = torch.linalg.solve_triangular(self.factor, across.transpose(1, 2), upper=False).square().sum(1)
        deviations = (self.kernel.variance - gone).clamp_min(0.0).sqrt().T.numpy()
        return means * self.scales + self.means, deviations * self.scales


def fitted(kernel: Kernel, known: Features, values: Array, steps: int) -> Kernel:
    """The settings that are likeliest after values (N, K) of N stacks, by so many steps of Adam from a kernel's."""
    standardised, missing = _filled(values, *_standard(values)), _missing(values)
    parts = [part.clone().requires_grad_(True) for part in kernel.parts]
    adam, learnt = torch.optim.Adam(parts, lr=RATE), Kernel(*parts)
    for _ in range(steps):
        factor = learnt.factor(learnt.points(known), missing)
        misfit = 0.5 * (torch.from_numpy(standardised.T)[:, :, None] * _solved(factor, standardised)).sum()
        loss = misfit + factor.diagonal(dim1=1, dim2=2).log().sum() + learnt.unlikeliness()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
    return Kernel(*(part.detach() for part in parts))


def _standard(values: Array) -> tuple[Array, Array]:
    scales = np.nanstd(values, axis=0)
    return np.nanmean(values, axis=0), np.where(scales > 0, scales, 1.0)


def _filled(values: Array, means: Array, scales: Array) -> Array:
    """Standardised; what is not known is average, which its noise makes of no account."""
    return np.nan_to_num((values - means) / scales, nan=0.0)


def _missing(values: Array) -> Tensor:
    """(K, N) variance of noise beyond a kernel's own."""
    return torch.from_numpy(np.where(np.isnan(values.T), UNKNOWN, 0.0))


def _solved(factor: Tensor, values: Array) -> Tensor:
    """(K, N, 1) inverse covariances times values (N, K)."""
    return torch.cholesky_solve(torch.from_numpy(np.ascontiguousarray(values.T))[:, :, None], factor)
