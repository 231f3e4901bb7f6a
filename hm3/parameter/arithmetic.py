"""A merge's tensors, one at a time, by mergekit's kernels.

mergekit's own command plans a task graph over architecture files and the Hub's cache. Sources here are open already and
have the same tensors, so the kernels are called directly, in the order in which mergekit's executor would call them
(by tensor name): the bits are the same, random methods included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import torch
from mergekit import merge_methods
from mergekit.merge_methods.base import TensorGroup
from mergekit.merge_methods.buffers import copy_non_floating_buffer
from torch import Tensor

from hm3.checkpoints import Checkpoint, Computed
from hm3.checkpoints.dtypes import NAMES, TORCH_DTYPES
from hm3.errors import CheckpointError
from hm3.parameter.configuration import parent_parameters, shared_parameters
from hm3.parameter.heads import repeated_heads
from hm3.parameter.layer_runs import blocks_of_tensors
from hm3.parameter.methods import METHODS, SEED
from hm3.parameter.padding import merge_rows, vocabulary_tensors
from hm3.recipe import MergeSpec, Source


class Kernel(Protocol):
    """Makes one merged tensor of the sources' tensors of that name."""

    def __call__(self, name: str, tensors: list[Tensor]) -> Tensor:
        """The merged tensor."""
        ...


def merge_tensors(
    spec: MergeSpec, checkpoints: Mapping[str, Checkpoint], *, dtype: torch.dtype | None = None
) -> Iterator[tuple[str, Tensor]]:
    """Name and value of every merged tensor, as `planned_tensors` has them."""
    return ((planned.name, planned.make()) for planned in planned_tensors(spec, checkpoints, dtype=dtype))


def planned_tensors(
    spec: MergeSpec,
    checkpoints: Mapping[str, Checkpoint],
    *,
    dtype: torch.dtype | None = None,
    read: Callable[[Checkpoint, str], Tensor] = Checkpoint.read,
) -> list[Computed]:
    """Every merged tensor, sorted by name, to be made in this order; global generators are left alone.

    Args:
        spec: The merge.
        checkpoints: Name of a source -> the source.
        dtype: Type of arithmetic and result; None for that of the base (or the first parent).
        read: Gives a source's tensor, which is not written to.

    Raises:
        CheckpointError: The sources' tensors differ in name or shape.
        ConfigurationError: A block of the merge begins after the last layer.
    """
    inputs = [checkpoints[source.name] for source in _inputs(spec)]
    host = checkpoints[(spec.base or spec.parents[0]).name]
    by_token = vocabulary_tensors(host)
    names = check_same_tensors([host, *inputs], by_token)
    dtype = dtype or inputs[0].dtype
    kernels, state = _kernels(spec, host, names, dtype), _initial_state(spec)

    def make(name: str) -> Tensor:
        with torch.no_grad(), _generator(state):
            tensors = [read(checkpoint, name) for checkpoint in inputs]
            if name in by_token:
                return merge_rows(partial(kernels[name], name), tensors, read(host, name))
            return kernels[name](name, tensors)

    return [
        Computed(name, _merged_type(entry.dtype, dtype), entry.shape, partial(make, name))
        for name, entry in ((name, host.tensors[name]) for name in names)
    ]


def _merged_type(given: str, dtype: torch.dtype) -> str:
    return NAMES[dtype] if TORCH_DTYPES[given].is_floating_point else given


def check_same_tensors(checkpoints: Sequence[Checkpoint], by_token: Collection[str] = ()) -> list[str]:
    """Refuse sources that cannot be merged tensor by tensor; a head that only repeats the embedding may be missing.

    Args:
        checkpoints: The sources.
        by_token: Names of the tensors whose number of rows may differ.

    Returns:
        The names of the tensors to merge, sorted.

    Raises:
        CheckpointError: Names or shapes differ: another depth or width, or a head tied in one only.
    """
    first, *others = checkpoints
    repeated = repeated_heads(checkpoints)
    names = sorted(first.tensors.keys() - repeated)
    for other in others:
        for name in sorted((first.tensors.keys() ^ other.tensors.keys()) - repeated):
            owner = first.name if name in first.tensors else other.name
            raise CheckpointError(
                f"merge: {first.name} and {other.name} must have the same tensors, got {name} only in {owner}"
            )
        for name in names:
            ours, theirs = (checkpoint.tensors[name].shape for checkpoint in (first, other))
            start = 1 if name in by_token else 0
            if ours[start:] != theirs[start:]:
                raise CheckpointError(
                    f"merge: {name} of {first.name} and {other.name} must have one shape, "
                    f"got {list(ours)} and {list(theirs)}"
                )
    return names


def _inputs(spec: MergeSpec) -> list[Source]:
    """The sources whose tensors enter, base first."""
    return [spec.base, *spec.parents] if spec.base and METHODS[spec.method].needs_base else list(spec.parents)


def _kernels(spec: MergeSpec, host: Checkpoint, names: Collection[str], dtype: torch.dtype) -> dict[str, Kernel]:
    """Tensor name -> its kernel; of the layers of one block they are the same."""
    kernels = {first: _kernel(part, dtype) for first, part in spec.parts}
    return {name: kernels[first] for name, first in blocks_of_tensors(spec, host, names).items()}


def _kernel(spec: MergeSpec, dtype: torch.dtype) -> Kernel:
    method = merge_methods.get(spec.method)
    base_index = 0 if METHODS[spec.method].needs_base or spec.method == "slerp" else None
    parameters = _parameters(spec)

    def kernel(name: str, tensors: list[Tensor]) -> Tensor:
        buffer: Tensor | None = copy_non_floating_buffer(tensors, name)
        if buffer is not None:
            return buffer
        group = TensorGroup.from_tensors(tensors, base_index=base_index, name=name)
        merged: Tensor = method((group,), parameters=parameters, dtype=dtype)[0]
        return merged

    return kernel


def _parameters(spec: MergeSpec) -> dict[str, Any]:
    """Mergekit's parameters; a parent's own are lists in the order of parents."""
    each = [parent_parameters(spec, parent) for parent in range(len(spec.parents))]
    return {name: [own[name] for own in each] for name in each[0]} | shared_parameters(spec)


def _initial_state(spec: MergeSpec) -> Tensor | None:
    """The state of a generator seeded for this merge, or None for methods without chance."""
    if not METHODS[spec.method].random:
        return None
    return torch.Generator().manual_seed(int(dict(spec.settings)[SEED])).get_state()


@contextmanager
def _generator(state: Tensor | None) -> Iterator[None]:
    """Let the block draw from `state`, which moves on; torch's own generator is put back."""
    if state is None:
        yield
        return
    theirs = torch.get_rng_state()
    torch.set_rng_state(state)
    try:
        yield
    finally:
        state.copy_(torch.get_rng_state())
        torch.set_rng_state(theirs)
