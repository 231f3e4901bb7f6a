"""A merge becomes a source without a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor

from hm3.checkpoints import Checkpoint, InMemoryModel
from hm3.checkpoints.safetensors_header import Entry
from hm3.parameter.arithmetic import planned_tensors
from hm3.parameter.merging import host_of, merged_config
from hm3.parameter.reading import read_of
from hm3.parameter.watching import Watch, unwatched, watched
from hm3.recipe import MergeSpec, Source


def merge_in_memory(source: Source, checkpoints: Mapping[str, Checkpoint], watch: Watch = unwatched) -> InMemoryModel:
    """A merged source that is to the bit what `merge` would write; nothing is computed before it is used.

    Args:
        source: The merge.
        checkpoints: Name of a source -> the source, for all that the merge is made of.
        watch: Is shown every tensor when it is made.

    Raises:
        CheckpointError: The sources' tensors differ in name or shape.
    """
    assert source.merge is not None
    host = host_of(source.merge, checkpoints)
    entries = {
        planned.name: Entry(planned.dtype, planned.shape, 0, planned.nbytes)
        for planned in planned_tensors(source.merge, checkpoints, dtype=host.dtype)
    }
    make = partial(_made, source.merge, checkpoints, watch)
    return InMemoryModel(
        source.name, host.path, merged_config(host), host.depth, host.dtype, entries, source.merge, make
    )


def _made(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint], watch: Watch) -> dict[str, Tensor]:
    host, read = host_of(spec, checkpoints), read_of(checkpoints.values())
    planned = watched(planned_tensors(spec, checkpoints, dtype=host.dtype, read=read), watch)
    return {each.name: each.make() for each in planned}
