"""Weights on their way to the disk: no tensor waits in memory, and the disk is busy from the first bytes on."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from hm3.checkpoints.flushing import Flusher
from hm3.checkpoints.layout import Shard, shards_of
from hm3.checkpoints.outgoing import Outgoing
from hm3.checkpoints.weight_files import INDEX


def write_weights(folder: Path, tensors: Iterable[Outgoing], shard_bytes: int) -> None:
    """Write weight files and their index into a folder; each tensor is copied or computed once, in the order given.

    Args:
        folder: Where; it is there.
        tensors: What is written.
        shard_bytes: Most bytes of tensors in a file; a larger tensor gets a file of its own.

    Raises:
        OutputError: A name comes twice, there is no tensor, or one is not what was stated.
        CheckpointError: A source cannot be read any more.
        OSError: The folder cannot be written, or the disk has no room: that is seen before anything is written.
    """
    shards = shards_of(tensors, shard_bytes)
    _check_room(folder, sum(shard.nbytes for shard in shards))
    with Flusher() as flusher:
        for shard in shards:
            _write(shard, folder / shard.file, flusher)
    if len(shards) > 1:
        (folder / INDEX).write_text(_index(shards), encoding="utf-8")


def _check_room(folder: Path, needed: int) -> None:
    disk = shutil.disk_usage(folder)
    if disk.total and needed > disk.free:  # some network drives don't say
        said = f"{os.strerror(errno.ENOSPC)}: {needed:,} bytes of weights, {disk.free:,} free"
        raise OSError(errno.ENOSPC, said)


def _write(shard: Shard, file: Path, flusher: Flusher) -> None:
    with file.open("xb", buffering=0) as stream:
        flusher.wrote(stream.fileno(), stream.write(shard.header))
        for tensor in shard.tensors:
            tensor.write(stream.fileno(), shard.places[tensor.name])
            flusher.wrote(stream.fileno(), tensor.nbytes)


def _index(shards: Sequence[Shard]) -> str:
    owner = {tensor.name: shard.file for shard in shards for tensor in shard.tensors}
    total = sum(tensor.nbytes for shard in shards for tensor in shard.tensors)
    return json.dumps({"metadata": {"total_size": total}, "weight_map": owner}, indent=2, sort_keys=True) + "\n"
