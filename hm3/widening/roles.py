"""What a layer's tensor does to the residual stream, and so what becomes of it at the wide shape.

Gains of norms go into what reads after them; the norms' own are constant then, and a turned stream passes through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from hm3.widening.shape import Axis, Shape
from hm3.widening.target import Target, scaled

ReadNorm = Callable[[str], Tensor]  # the gain of a norm of the same layer, by name


class Role(Protocol):
    """One kind of tensor."""

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """The tensor's shape in a model of that shape."""

    def widened(self, tensor: Tensor, to: Target, gain: float, norm: ReadNorm) -> Tensor:
        """The tensor at the wide shape, in its own type.

        Args:
            tensor: The narrow one.
            to: Where it goes.
            gain: The layer's on what it reads.
            norm: Reads a norm's gain.
        """


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the stream after a norm: (axis, stream).

    Attributes:
        norm: The norm's name.
        axis: What its rows are.
        power: Of the heads' growth.
    """

    norm: str
    axis: Axis
    power: int = 0

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """(axis, stream)."""
        return shape.size(self.axis), shape.width

    def widened(self, tensor: Tensor, to: Target, gain: float, norm: ReadNorm) -> Tensor:
        """Turned, with the norm's gain in it; new rows are zero."""
        return to.placed(to.reads(tensor, norm(self.norm), to.grown(self.power)), self.axis)


@dataclass(frozen=True, slots=True)
class Filled:
    """Touches no stream, only heads or units: the bias of a reader, or a norm within heads; (axis,)."""

    axis: Axis
    power: int = 0

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """(axis,)."""
        return (shape.size(self.axis),)

    def widened(self, tensor: Tensor, to: Target, gain: float, norm: ReadNorm) -> Tensor:
        """Filled up with zeros."""
        return to.placed(scaled(tensor, to.grown(self.power)), self.axis)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to the stream: (stream, axis)."""

    axis: Axis

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """(stream, axis)."""
        return shape.width, shape.size(self.axis)

    def widened(self, tensor: Tensor, to: Target, gain: float, norm: ReadNorm) -> Tensor:
        """Turned; new columns are zero."""
        return to.writes(to.placed(tensor, self.axis, dimension=1).T).T.contiguous()


@dataclass(frozen=True, slots=True)
class WriterBias:
    """Is added to the stream: (stream,)."""

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """(stream,)."""
        return (shape.width,)

    def widened(self, tensor: Tensor, to: Target, gain: float, norm: ReadNorm) -> Tensor:
        """Turned."""
        return to.writes(tensor[None])[0]


@dataclass(frozen=True, slots=True)
class Norm:
    """Is the gain of a norm on the stream: (stream,)."""

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """(stream,)."""
        return (shape.width,)

    def widened(self, tensor: Tensor, to: Target, gain: float, norm: ReadNorm) -> Tensor:
        """Constant: what reads has taken it over."""
        return torch.full((to.wide.width,), gain, dtype=tensor.dtype)
