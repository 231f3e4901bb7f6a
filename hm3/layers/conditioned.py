"""Low-rank terms that depend on weights: one set of factors gives them for any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hm3.layers.low_rank import LowRank


class ConditionedTerm(NamedTuple):
    """A matrix (c, d) of rank at most r for every K weights: ``left (sum_k w_k core_k) right``.

    Attributes:
        left: (c, r)
        core: (r, r, K)
        right: (r, d)
    """

    left: Tensor
    core: Tensor
    right: Tensor

    @classmethod
    def below(cls, parts: Sequence[ConditionedTerm | None], rows: Sequence[int]) -> ConditionedTerm | None:
        """The terms of matrices that stand one below the other, as one term; its rank is the sum of theirs.

        Args:
            parts: A term for each matrix, or None, which leaves the matrix alone.
            rows: Of each matrix.

        Returns:
            None where there is no term.
        """
        known = [part for part in parts if part is not None]
        if not known or len(parts) == 1:
            return known[0] if known else None
        none = known[0].left.new_zeros
        lefts = [none(height, 0) if part is None else part.left for part, height in zip(parts, rows, strict=True)]
        cores = [_diagonal([part.core[:, :, k] for part in known]) for k in range(known[0].core.shape[2])]
        return cls(_diagonal(lefts), torch.stack(cores, dim=2), torch.cat([part.right for part in known]))

    def at(self, weights: Tensor) -> LowRank:
        """The term for weights (K,), of the core's type."""
        return LowRank(self.left @ (self.core @ weights).to(self.left.dtype), self.right)

    def to(self, device: torch.device, dtype: torch.dtype) -> ConditionedTerm:
        """The same term elsewhere, for inputs of another type; weights are mixed in float32 whatever that is."""
        return ConditionedTerm(
            self.left.to(device, dtype), self.core.to(device, torch.float32), self.right.to(device, dtype)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """What makes another source of a source.

    Attributes:
        home: Digest of the source that terms are added to.
        factors: Digest of all terms: sources that differ in their weights alone share them.
        terms: Of the name of a tensor: its term, or None.
        weights: (K,)
    """

    home: str
    factors: str
    terms: Callable[[str], ConditionedTerm | None]
    weights: Tensor


def _diagonal(blocks: Sequence[Tensor]) -> Tensor:
    diagonal: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
    return diagonal
