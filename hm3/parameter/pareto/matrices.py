"""The weight matrices that terms are added to, and how far the experts are from the base there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.dtypes import TORCH_DTYPES
from hm3.errors import CheckpointError, ConfigurationError
from hm3.layers import family_of
from hm3.parameter.mergeable import check_mergeable


def layer_matrices(checkpoint: Checkpoint) -> list[str]:
    """The names of all weight matrices of the layers: two dimensions, floating, sorted.

    Embedding, norms, biases and head are none of them. Nor are tensors that pack the matrices of many experts into one
    of three dimensions: published checkpoints keep these matrices apart, and so they take part one by one.

    Raises:
        CheckpointError: The family has no row.
    """
    family = family_of(checkpoint.name, checkpoint.config)
    prefixes = tuple(family.layer_prefix(layer) for layer in range(checkpoint.depth))
    return sorted(name for name in checkpoint.tensors if name.startswith(prefixes) and _is_matrix(checkpoint, name))


class Differences:
    """``D_k = W_k - W_base`` of every weight matrix of the layers, computed when it is asked for.

    The models stay mapped from their files, so that beside them there is one matrix's differences and what is kept.

    Args:
        base: What terms are added to.
        experts: The K fine-tuned models.
        keep: Bytes of differences that are kept, the first ones: all of a small model.

    Raises:
        ConfigurationError: No expert.
        CheckpointError: Their tensors differ in name or shape, or an expert's matrices are the base's own.
    """

    def __init__(self, base: Checkpoint, experts: Sequence[Checkpoint], *, keep: int = 2**25) -> None:
        if not experts:
            raise ConfigurationError("pareto_merging: at least 1 expert, got none")
        check_mergeable([base, *experts])
        self._base, self._experts = base, tuple(experts)
        self._kept: dict[str, Tensor] = {}
        self._room = keep
        for expert, norm in zip(experts, self.totals.tolist(), strict=True):
            if not 0 < norm < float("inf"):
                rule = "an expert whose layers are finite and differ from the base's"
                raise CheckpointError(f"pareto_merging: {rule}, got {expert.name} at a squared distance of {norm:g}")

    @property
    def experts(self) -> int:
        """K."""
        return len(self._experts)

    @property
    def names(self) -> tuple[str, ...]:
        """The matrices in which an expert differs from the base, sorted; in the others there is nothing to learn."""
        return tuple(self.norms)

    @property
    def totals(self) -> Tensor:
        """(K,) float64: each expert's squared distance from the base, over all matrices."""
        return torch.stack([torch.zeros(self.experts, dtype=torch.float64), *self.norms.values()]).sum(0)

    @cached_property
    def norms(self) -> dict[str, Tensor]:
        """Matrix -> (K,) float64: each expert's squared distance from the base there, where one is above 0."""
        found = {name: _squared(self.of(name)) for name in layer_matrices(self._base)}
        return {name: norms for name, norms in found.items() if norms.count_nonzero()}

    def of(self, name: str) -> Tensor:
        """(K, c, d) float32: the differences of one matrix; not to be written to, and another's after the next call."""
        if name in self._kept:
            return self._kept[name]
        shape = (1 + self.experts, *self._base.tensors[name].shape)
        base, *tuned = room = self._memory[: math.prod(shape)].view(shape)
        base.copy_(self._base.tensor(name))
        for row, expert in zip(tuned, self._experts, strict=True):
            row.copy_(expert.tensor(name)).sub_(base)
        found = room[1:]
        if found.nbytes <= self._room:
            self._kept[name], self._room = found.clone(), self._room - found.nbytes
        return found

    @cached_property
    def _memory(self) -> Tensor:
        """Room for the largest: memory that came and went with each would be scattered among what stays."""
        largest = max(math.prod(self._base.tensors[name].shape) for name in layer_matrices(self._base))
        return torch.empty((1 + self.experts) * largest)


def _is_matrix(checkpoint: Checkpoint, name: str) -> bool:
    entry = checkpoint.tensors[name]
    return len(entry.shape) == 2 and TORCH_DTYPES[entry.dtype].is_floating_point


def _squared(differences: Tensor) -> Tensor:
    """(K,) squared Frobenius norms in float64, a few rows at a time."""
    return sum((rows.double().square().sum((1, 2)) for rows in torch.split(differences, 64, dim=1)), torch.zeros(()))
