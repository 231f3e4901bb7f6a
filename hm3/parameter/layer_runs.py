"""Which tensors each block of a merge is for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.layers import family_of
from hm3.recipe import MergeSpec


def runs(spec: MergeSpec, depth: int) -> Iterator[tuple[int, int, MergeSpec]]:
    """(first layer, layer after the last, merge without blocks) for each run of layers that is merged alike.

    Raises:
        ConfigurationError: A block begins after the last of `depth` layers.
    """
    firsts = [first for first, _ in spec.parts]
    if firsts[-1] >= depth:
        raise ConfigurationError(f"merge blocks: first layers below the depth, {depth}, got {firsts[-1]}")
    for (first, end), (_, part) in zip(pairwise([*firsts, depth]), spec.parts, strict=True):
        yield first, end, part


def blocks_of_tensors(spec: MergeSpec, host: Checkpoint, names: Collection[str]) -> dict[str, int]:
    """Tensor name -> the first layer of the block that it belongs to.

    What comes before the layers goes with the first of them, and what comes after them with the last, as in mergekit.

    Args:
        spec: The merge.
        host: One of its sources.
        names: Of the tensors.

    Raises:
        ConfigurationError: A block begins after the last layer.
        CheckpointError: The source's family has no row.
    """
    if not spec.blocks:
        return dict.fromkeys(names, 0)
    family = family_of(host.name, host.config)
    found = dict.fromkeys(names, spec.parts[-1][0]) | dict.fromkeys(family.embedding, 0)
    for first, end, _ in runs(spec, host.depth):
        for layer in range(first, end):
            found |= dict.fromkeys(family.layer_names(names, layer), first)
    return found
