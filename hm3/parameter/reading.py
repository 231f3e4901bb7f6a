"""How the sources of merges are read, where one merge follows another."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor

from hm3.checkpoints import Checkpoint

MAPPED = 500_000_000  # bytes of sources up to which their files may stay mapped from one merge to the next

Read = Callable[[Checkpoint, str], Tensor]
"""Gives a source's tensor, which must not be written to."""


def read_of(sources: Iterable[Checkpoint]) -> Read:
    """How tensors of these sources are read.

    Opening a file for every tensor takes a third of the time of a small merge; what stays mapped of large sources
    would fill the memory.
    """
    size = sum(entry.stop - entry.start for source in sources for entry in source.tensors.values())
    return Checkpoint.tensor if size <= MAPPED else Checkpoint.read
