"""How far a merge is from its base: the L1 norm of its change.

MM-MO (arXiv 2407.00487) takes its negative for an objective, sparsity: of merges that score alike, the one that changes
less is likelier to do as well elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.parameter.arithmetic import planned_tensors
from hm3.parameter.merging import host_of
from hm3.parameter.reading import Read, read_of
from hm3.parameter.watching import watched
from hm3.recipe import MergeSpec


class L1Change:
    """Adds up |merged - base| over the tensors that it is shown; a tensor that comes again counts once.

    Rows beyond the vocabulary that all sources share are the base's own, so they add nothing.

    Args:
        base: What the change is from.
        read: Gives a tensor of the base.
    """

    def __init__(self, base: Checkpoint, read: Read = Checkpoint.read) -> None:
        self._base, self._read = base, read
        self._parts: dict[str, float] = {}

    @classmethod
    def of(cls, spec: MergeSpec, checkpoints: Mapping[str, Checkpoint]) -> L1Change:
        """From a merge's base; from its first parent where it has none.

        Args:
            spec: The merge.
            checkpoints: Name of a source -> the source, for all that the merge is made of.
        """
        return cls(host_of(spec, checkpoints), read_of(checkpoints.values()))

    @torch.no_grad()
    def __call__(self, name: str, tensor: Tensor) -> None:
        """Take a tensor of the merge in."""
        change = tensor.float() - self._read(self._base, name)
        self._parts[name] = float(change.abs_().sum(dtype=torch.float64))

    @property
    def total(self) -> float:
        """The norm over what it was shown; NaN or infinite where a tensor has such values."""
        return math.fsum(self._parts.values())


def l1_change(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint]) -> float:
    """The L1 norm of a merge's change from its base; its tensors are made for it, one at a time.

    Args:
        spec: The merge.
        checkpoints: Name of a source -> the source, for all that the merge is made of.

    Raises:
        CheckpointError: The sources' tensors differ in name or shape.
    """
    change, read = L1Change.of(spec, checkpoints), read_of(checkpoints.values())
    for each in watched(planned_tensors(spec, checkpoints, dtype=host_of(spec, checkpoints).dtype, read=read), change):
        each.make()
    return change.total
