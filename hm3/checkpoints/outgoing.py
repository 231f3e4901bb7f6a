"""What a weight file is to hold: names, types and shapes are known before the first byte is written.

`Copied` tensors are another file's bytes. `hm3.checkpoints.computed` has those that are computed when their turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hm3.checkpoints.byte_ranges import copy_range
from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.safetensors_header import Entry


class Outgoing(Protocol):
    """A tensor to be written."""

    @property
    def name(self) -> str:
        """Its name in the file to be."""

    @property
    def dtype(self) -> str:
        """Its element type, as safetensors names it: ``BF16``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""

    def write(self, descriptor: int, at: int) -> None:
        """Write its bytes into an open file, from byte `at`."""


@dataclass(frozen=True)
class Copied:
    """The bytes of a tensor that a source holds: neither mapped nor converted, a few at a time.

    Attributes:
        name: Its name in the file to be.
        file: The file that holds it.
        entry: Its type, shape and place there.
    """

    name: str
    file: Path
    entry: Entry

    @classmethod
    def of(cls, checkpoint: Checkpoint, tensor: str, name: str | None = None) -> Copied:
        """A checkpoint's `tensor`, under its own name or another.

        Raises:
            CheckpointError: There is none.
        """
        return cls(name or tensor, *checkpoint.place(tensor))

    def first_rows(self, count: int) -> Copied:
        """Its first rows only, as of an embedding padded beyond its vocabulary.

        Raises:
            ValueError: It has no rows, or fewer.
        """
        if not self.shape or not 0 <= count <= self.shape[0]:
            raise ValueError(f"{self.name}: at most the rows of {list(self.shape)}, got {count}")
        row = self.nbytes // self.shape[0] if self.shape[0] else 0
        shape = (count, *self.shape[1:])
        return replace(self, entry=replace(self.entry, shape=shape, stop=self.entry.start + count * row))

    @property
    def dtype(self) -> str:
        """The element type it has there."""
        return self.entry.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape it has there."""
        return self.entry.shape

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return self.entry.stop - self.entry.start

    def write(self, descriptor: int, at: int) -> None:
        """Copy its bytes into an open file, from byte `at`."""
        copy_range(self.file, self.entry.start, self.nbytes, descriptor, at)
