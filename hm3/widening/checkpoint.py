"""The narrow source, written at the wide shape: a checkpoint like any other."""

from __future__ import annotations

import json
from pathlib import Path

from hm3.checkpoints import Checkpoint, write_checkpoint
from hm3.widening.room import check_room, widened_config
from hm3.widening.shape import Shape
from hm3.widening.stream_map import StreamMap
from hm3.widening.tensors import widened_tensors


def write_widened(
    target: Path, narrow: Checkpoint, wide: Checkpoint, stream: StreamMap, *, shard_bytes: int = 10**9
) -> Path:
    """Write `narrow` at the shape of `wide`; one tensor is in memory at a time.

    Args:
        target: The folder to be.
        narrow: The narrow source; its scalars, depth and tokenizer are kept.
        wide: Whose shape it is to have; its weights are not read.
        stream: How the residual stream is carried.
        shard_bytes: Most bytes of tensors in a weight file.

    Returns:
        `target`.

    Raises:
        CheckpointError: The narrow source has no room at the wide shape, or is not what its config says.
        OutputError: The target must not or cannot be written.
    """
    check_room(narrow, wide)
    origin = {"narrow": narrow.digest, "shape": Shape.of(wide).fields, "gains": stream.gains}
    return write_checkpoint(
        target,
        widened_config(narrow, wide),
        widened_tensors(narrow, Shape.of(wide), stream),
        copy_from=narrow.path,
        files={"widening.json": json.dumps(origin, indent=1) + "\n"},
        shard_bytes=shard_bytes,
        sources=[wide.path],
    )
