"""What a narrow tensor needs to know of the model that it goes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.widening.places import placed, places
from hm3.widening.shape import Axis, Shape
from hm3.widening.stream_map import StreamMap

BLOCK = 4096  # rows that are in float64 at once


@dataclass(frozen=True, eq=False)
class Target:
    """The wide shape, and how the narrow model is carried into it.

    Attributes:
        narrow: The shape that the tensors have.
        wide: The shape that they are to have.
        stream: How the residual stream is carried.
        places: Where heads and inner units stand.
    """

    narrow: Shape
    wide: Shape
    stream: StreamMap
    places: Mapping[Axis, Tensor]

    @classmethod
    def of(cls, narrow: Shape, wide: Shape, stream: StreamMap) -> Target:
        """With the places that follow from the shapes."""
        return cls(narrow, wide, stream, places(narrow, wide))

    def grown(self, power: int) -> float:
        """A power of √(wide / narrow) of the heads' widths."""
        return math.sqrt(self.wide.head_dim / self.narrow.head_dim) ** power

    def placed(self, tensor: Tensor, axis: Axis, dimension: int = 0) -> Tensor:
        """The tensor, filled up with zeros along `axis`, which is its dimension `dimension`."""
        return placed(tensor, self.places[axis], dimension)

    def writes(self, rows: Tensor) -> Tensor:
        """Rows that are added to the narrow stream (n, d), as rows that are added to the wide one (n, D)."""
        return _times(rows, self.stream.basis.T * self.stream.scale)

    def reads(self, rows: Tensor, gain: Tensor, factor: float = 1.0) -> Tensor:
        """Rows that read the narrow stream (n, d) after a norm, as rows that read the wide one (n, D).

        Args:
            rows: The rows.
            gain: Of the norm, (d,).
            factor: What else they grow by.
        """
        return _times(rows, gain.double()[:, None] * self.stream.basis.T * (factor / self.stream.scale))


def scaled(tensor: Tensor, factor: float) -> Tensor:
    """The tensor times a number, computed in float64, rounded once."""
    return (tensor.double() * factor).to(tensor.dtype)


def _times(rows: Tensor, matrix: Tensor) -> Tensor:
    """The product, in float64 by blocks of rows, rounded once to the rows' type."""
    result = torch.empty(len(rows), matrix.shape[1], dtype=rows.dtype)
    for start in range(0, len(rows), BLOCK):
        result[start : start + BLOCK] = rows[start : start + BLOCK].double() @ matrix
    return result
