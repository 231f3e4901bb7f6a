"""Tensors that are computed on their way to the disk: one at a time, or large ones by blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from hm3.checkpoints.byte_ranges import write_bytes
from hm3.checkpoints.dtypes import TORCH_DTYPES
from hm3.checkpoints.safetensors_header import BITS
from hm3.errors import OutputError

BLOCK = 8192  # rows that are made at once


@dataclass(frozen=True)
class Computed:
    """A tensor that is made when its turn comes, written, and forgotten.

    One with a row for each token may be far larger than all others: `ComputedRows` holds less of it.

    Attributes:
        name: Its name in the file to be.
        dtype: Its element type, as safetensors names it: ``BF16``.
        shape: Its shape.
        make: Makes it; called once, after those of all tensors that stand before it.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    make: Callable[[], Tensor]

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return math.prod(self.shape) * BITS[self.dtype] // 8

    def write(self, descriptor: int, at: int) -> None:
        """Make it and write its bytes into an open file, from byte `at`.

        Raises:
            OutputError: What was made is not what was stated.
        """
        tensor = self.make()
        _check(self.name, tensor, self.dtype, self.shape)
        write_bytes(descriptor, at, tensor)


@dataclass(frozen=True)
class ComputedRows:
    """A tensor that is made by blocks of `BLOCK` rows (the last may be smaller), each written before the next is made.

    Attributes:
        name: Its name in the file to be.
        dtype: Its element type, as safetensors names it: ``BF16``.
        shape: Its shape, of at least one dimension.
        make: Makes the rows [first, stop); called once for each block, in order.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    make: Callable[[int, int], Tensor]

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return math.prod(self.shape) * BITS[self.dtype] // 8

    def write(self, descriptor: int, at: int) -> None:
        """Make it and write its bytes into an open file, from byte `at`.

        Raises:
            OutputError: What was made is not what was stated.
        """
        rows, *row = self.shape
        for first in range(0, rows, BLOCK):
            stop = min(first + BLOCK, rows)
            block = self.make(first, stop)
            _check(self.name, block, self.dtype, (stop - first, *row))
            write_bytes(descriptor, at, block)
            at += block.nbytes


def _check(name: str, made: Tensor, dtype: str, shape: tuple[int, ...]) -> None:
    if made.dtype != TORCH_DTYPES[dtype] or tuple(made.shape) != shape:
        stated = f"{dtype} {list(shape)}"
        raise OutputError(f"output: {name} as stated, {stated}, got {made.dtype} {list(made.shape)}")
