"""A Gaussian process over stacks for each objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.surrogate.features import Features
from agents.surrogate.kernel import LEAST, MOST, START, covariance, noise, unlikeliness
from hm3.objectives import Array

JITTER = 1e-5  # of the joint covariance of candidates, whose variance is about 1
RATE = 0.1  # of Adam on the logarithms


@dataclass(frozen=True)
class _Posterior:
    """What one objective's process has learnt: settings, the factor of its covariance, the weights of stacks."""

    settings: Tensor
    factor: Tensor
    weights: Tensor


@dataclass(frozen=True)
class StackProcess:
    """What is known of K objectives after N stacks; settings by the largest posterior probability.

    Attributes:
        known: The stacks.
        means: (K,) of their values.
        scales: (K,) standard deviations.
        posteriors: K.
    """

    known: Features
    means: Array
    scales: Array
    posteriors: tuple[_Posterior, ...]

    @classmethod
    def fit(
        cls, known: Features, values: Array, *, steps: int = 40, start: Sequence[Tensor] | None = None
    ) -> StackProcess:
        """Learn from values (N, K).

        Args:
            known: N stacks.
            values: Of them, larger or smaller as they are.
            steps: Of Adam on each objective's six settings; 0 leaves them.
            start: Of the settings, K vectors; None for `START`.
        """
        means, scales = values.mean(axis=0), values.std(axis=0)
        scales = np.where(scales > 0, scales, 1.0)
        targets = torch.from_numpy((values - means) / scales).T
        shared = known.shared(known)
        starts = start or [torch.tensor(START, dtype=torch.float64)] * len(targets)
        fitted = (_fitted(shared, row, start, steps) for row, start in zip(targets, starts, strict=True))
        return cls(known, means, scales, tuple(fitted))

    @property
    def settings(self) -> list[Tensor]:
        """K vectors of settings, as `covariance` takes them."""
        return [each.settings for each in self.posteriors]

    @torch.no_grad()
    def predict(self, stacks: Features) -> tuple[Array, Array]:
        """Means and standard deviations (M, K) of what stacks are worth."""
        shared = stacks.shared(self.known)
        own = torch.ones(stacks.layers.shape[0], dtype=torch.float64)
        columns = [_marginal(each, shared, own) for each in self.posteriors]
        means, deviations = (torch.stack(part, dim=1).numpy() for part in zip(*columns, strict=True))
        return means * self.scales + self.means, deviations * self.scales

    @torch.no_grad()
    def samples(self, stacks: Features, count: int, rng: np.random.Generator) -> Array:
        """(count, M, K) worlds that are possible: joint draws for M stacks."""
        across, among = stacks.shared(self.known), stacks.shared(stacks)
        drawn = [_joint(each, across, among, count, rng) for each in self.posteriors]
        result: Array = np.stack(drawn, axis=2) * self.scales + self.means
        return result


def _fitted(shared: tuple[Tensor, Tensor], targets: Tensor, start: Tensor, steps: int) -> _Posterior:
    settings = start.clone().requires_grad_(True)
    adam = torch.optim.Adam([settings], lr=RATE)
    for _ in range(steps):
        factor, weights = _solved(shared, targets, settings)
        loss = 0.5 * targets @ weights + factor.diagonal().log().sum() + unlikeliness(settings)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        settings.data.clamp_(LEAST, MOST)
    with torch.no_grad():
        return _Posterior(settings.detach(), *_solved(shared, targets, settings))


def _solved(shared: tuple[Tensor, Tensor], targets: Tensor, settings: Tensor) -> tuple[Tensor, Tensor]:
    """The Cholesky factor (N, N) of the noisy covariance, and its inverse times the targets (N,)."""
    total = covariance(shared, settings) + noise(settings) * torch.eye(len(targets), dtype=torch.float64)
    factor = torch.linalg.cholesky(total)
    return factor, torch.cholesky_solve(targets[:, None], factor)[:, 0]


def _marginal(learnt: _Posterior, across: tuple[Tensor, Tensor], own: Tensor) -> tuple[Tensor, Tensor]:
    """(M,) means and standard deviations."""
    rows = covariance(across, learnt.settings)
    gone = torch.linalg.solve_triangular(learnt.factor, rows.T, upper=False).square().sum(0)
    before = covariance((own, own), learnt.settings)
    return rows @ learnt.weights, (before - gone).clamp_min(0.0).sqrt()


def _joint(
    learnt: _Posterior,
    across: tuple[Tensor, Tensor],
    among: tuple[Tensor, Tensor],
    count: int,
    rng: np.random.Generator,
) -> Array:
    """(count, M) draws."""
    rows = covariance(across, learnt.settings)
    half = torch.linalg.solve_triangular(learnt.factor, rows.T, upper=False)
    left = covariance(among, learnt.settings) - half.T @ half
    factor = torch.linalg.cholesky(left + JITTER * torch.eye(len(left), dtype=torch.float64))
    draws = torch.from_numpy(rng.standard_normal((len(left), count)))
    result: Array = ((rows @ learnt.weights)[:, None] + factor @ draws).T.numpy()
    return result
