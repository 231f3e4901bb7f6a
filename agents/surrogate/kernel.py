"""How alike two stacks are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from agents.surrogate.features import Features

APART = 0.7  # of a source's coordinates at first: all are equally unlike each other
NEARNESS, NOISE = -2.0, -6.0  # logarithms at first
PULL, HOLD = 0.02, 0.05  # half the inverse variances of the settings' normal priors around where they start
FLOOR = 1e-5  # of the noise, of a variance of 1


@dataclass(frozen=True)
class Kernel:
    """Covariances of K objectives: ``scale exp(-|phi(x) - phi(y)|^2)``.

    phi puts each source at a point that is learnt, so that one source may be like another; what the uses of a layer's
    index add up to is weighted by how much depends on this index; jumps count alike everywhere.

    Attributes:
        places: (K, L + 2) logarithms: how much depends on a layer's index, or on a host.
        sources: (K, S, S) coordinates of each source.
        jumps: (K,) logarithm: how much depends on the order.
        scale: (K,) logarithm of the variance.
        noise: (K,) logarithm of the variance of noise.
    """

    places: Tensor
    sources: Tensor
    jumps: Tensor
    scale: Tensor
    noise: Tensor

    @classmethod
    def start(cls, objectives: int, places: int, sources: int) -> Kernel:
        """Before anything is known."""
        row = torch.zeros(objectives, dtype=torch.float64)
        apart = APART * torch.eye(sources, dtype=torch.float64).repeat(objectives, 1, 1)
        return cls(row[:, None].repeat(1, places) + NEARNESS, apart, row + NEARNESS, row.clone(), row + NOISE)

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """The settings, as the constructor takes them."""
        return self.places, self.sources, self.jumps, self.scale, self.noise

    def points(self, stacks: Features) -> Tensor:
        """(K, N, D) phi of each stack."""
        used = torch.einsum("nps,ksd->knpd", stacks.uses, self.sources)
        used = used * (self.places / 2).exp()[:, None, :, None]
        jumped = stacks.jumps * (self.jumps / 2).exp()[:, None, None]
        return torch.cat([used.flatten(2), jumped], dim=2)

    def covariance(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """(K, N, M) of stacks at points (K, N, D) and (K, M, D), without noise."""
        squares = ours.square().sum(2)[:, :, None] + theirs.square().sum(2)[:, None]
        apart = (squares - 2 * ours @ theirs.transpose(1, 2)).clamp_min(0.0)
        result: Tensor = self.variance[:, :, None] * torch.exp(-apart)
        return result

    @property
    def variance(self) -> Tensor:
        """(K, 1) of each stack, without noise."""
        return self.scale.exp()[:, None]

    def factor(self, points: Tensor, more: Tensor) -> Tensor:
        """(K, N, N) Cholesky factor of the covariance, with noise, and more of it (K, N) at some points."""
        noise = (self.noise.exp() + FLOOR)[:, None] + more
        total = self.covariance(points, points) + torch.diag_embed(noise)
        result: Tensor = torch.linalg.cholesky(total)
        return result

    def unlikeliness(self) -> Tensor:
        """Minus the logarithm of the settings' prior, but for a constant."""
        objectives, places = self.places.shape
        begun = Kernel.start(objectives, places, self.sources.shape[1])
        pulls = (PULL, PULL, PULL, HOLD, HOLD)
        moved = zip(pulls, self.parts, begun.parts, strict=True)
        return torch.stack([pull * (part - before).square().sum() for pull, part, before in moved]).sum()

    def to_json(self) -> list[Any]:
        """The settings as a JSON value."""
        return [part.tolist() for part in self.parts]

    @classmethod
    def from_json(cls, value: list[Any]) -> Kernel:
        """Read what `to_json` wrote."""
        return cls(*(torch.tensor(part, dtype=torch.float64) for part in value))
