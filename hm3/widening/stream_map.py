"""The map that carries a narrow residual stream into a wide one.

A stream h of width d becomes s·V·h of width D, where V has orthonormal columns and s = √(D / d). Then the mean square
over D of what is carried is that over d of what was there, so an RMSNorm divides both by the same number, epsilon
included, and V^T / s reads back what was there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.errors import CheckpointError


@dataclass(frozen=True, eq=False)
class StreamMap:
    """A semi-orthogonal map with its scale.

    Attributes:
        basis: V, (D, d), float64, orthonormal columns.
        gains: For each narrow layer, and last for its final norm, the gain on what it reads; 1 is exact where the
            stream comes from narrow layers.
    """

    basis: Tensor
    gains: tuple[float, ...]

    @property
    def scale(self) -> float:
        """s, which keeps the root mean square."""
        wide, narrow = self.basis.shape
        return math.sqrt(wide / narrow)

    def carry(self, hidden: Tensor) -> Tensor:
        """Narrow states (..., d) as wide ones (..., D)."""
        return hidden @ (self.scale * self.basis.T).to(hidden)

    def read(self, hidden: Tensor) -> Tensor:
        """What narrow layers see of wide states (..., D): (..., d)."""
        return hidden @ (self.basis / self.scale).to(hidden)


def plain(narrow: int, wide: int, depth: int) -> StreamMap:
    """The first `narrow` of `wide` coordinates; no activation is looked at."""
    return StreamMap(torch.eye(wide, narrow, dtype=torch.float64), (1.0,) * (depth + 1))


def procrustes(covariance: Tensor) -> Tensor:
    """The matrix V with orthonormal columns that maximises the trace of V^T C: orthogonal Procrustes.

    Among all such V it brings the states Σ V·h nearest to Σ x, where C = Σ x·h^T.

    Args:
        covariance: C, (D, d), with D ≥ d.

    Raises:
        CheckpointError: It is of a rank below d: then V is not determined.
    """
    left, sizes, right = torch.linalg.svd(covariance.double(), full_matrices=False)
    rank = int((sizes > 1e-12 * sizes[0]).sum())
    if rank < covariance.shape[1]:
        raise CheckpointError(f"widening: residual streams that span {covariance.shape[1]} dimensions, got {rank}")
    basis: Tensor = left @ right
    return basis
