"""Which tensor goes to which file, and where in it: decided before the first byte is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hm3.checkpoints.dtypes import TORCH_DTYPES
from hm3.checkpoints.outgoing import Outgoing
from hm3.checkpoints.weight_files import SINGLE
from hm3.errors import OutputError

ORDER = {dtype: rank for rank, dtype in enumerate(TORCH_DTYPES)}


@dataclass(frozen=True)
class Shard:
    """One weight file to be.

    Attributes:
        file: Its name.
        tensors: What it holds, in the order in which it is written.
        header: Its first bytes, up to the first tensor.
        places: Name of a tensor -> its first byte.
    """

    file: str
    tensors: Sequence[Outgoing]
    header: bytes
    places: dict[str, int]

    @property
    def nbytes(self) -> int:
        """The file's size in bytes."""
        return len(self.header) + sum(tensor.nbytes for tensor in self.tensors)


def shards_of(tensors: Iterable[Outgoing], limit: int) -> list[Shard]:
    """The files of a checkpoint; tensors fill them in the order given.

    Args:
        tensors: All tensors.
        limit: Most bytes of tensors in a file; a larger tensor gets a file of its own.

    Raises:
        OutputError: A name comes twice, or there is no tensor.
    """
    parts = _parts(tensors, limit)
    if not parts:
        raise OutputError("output: at least one tensor, got none")
    names = [f"model-{number:05d}-of-{len(parts):05d}.safetensors" for number in range(1, len(parts) + 1)]
    if len(parts) == 1:
        names = [SINGLE]
    return [_shard(name, part) for name, part in zip(names, parts, strict=True)]


def _parts(tensors: Iterable[Outgoing], limit: int) -> list[list[Outgoing]]:
    parts: list[list[Outgoing]] = []
    names: set[str] = set()
    room = 0
    for tensor in tensors:
        if tensor.name in names:
            raise OutputError(f"output: every tensor once, got {tensor.name!r} twice")
        if not parts or tensor.nbytes > room:
            parts.append([])
            room = limit
        parts[-1].append(tensor)
        names.add(tensor.name)
        room -= tensor.nbytes
    return parts


def _shard(file: str, tensors: Sequence[Outgoing]) -> Shard:
    """Laid out as safetensors' own `save_file` does: by type, then by name, the header filled up to 8 bytes."""
    table: dict[str, object] = {"__metadata__": {"format": "pt"}}
    ends: dict[str, tuple[int, int]] = {}
    stop = 0
    for tensor in sorted(tensors, key=lambda tensor: (ORDER[tensor.dtype], tensor.name)):
        start, stop = stop, stop + tensor.nbytes
        ends[tensor.name] = start, stop
        table[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": (start, stop)}
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    header = len(text).to_bytes(8, "little") + text
    return Shard(file, tensors, header, {name: len(header) + start for name, (start, _) in ends.items()})
