"""What a safetensors file says it holds, checked against the file before anything is mapped or allocated."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hm3.checkpoints.reading import RefusedError, parse_json

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
LARGEST = 2**63  # of sizes and offsets
BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8}
BITS |= {"I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of a file: its element type, shape, and bytes [start, stop) counted from the file's beginning."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(file: Path) -> dict[str, Entry]:
    """The tensors of a safetensors file, by name.

    Raises:
        RefusedError: The file is truncated, damaged, or larger in words than in bytes.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
            raise RefusedError(f"{file.name}: a header within the file of {size} bytes, got a length of {length}")
        table = parse_json(stream.read(length), file.name)
    table.pop("__metadata__", None)
    entries = {name: _entry(file, name, value, 8 + length) for name, value in table.items()}
    _check_layout(file, entries, 8 + length, size)
    return entries


def _entry(file: Path, name: str, value: Any, origin: int) -> Entry:
    try:
        shape = tuple(value["shape"])
        start, stop = value["data_offsets"]
        entry = Entry(value["dtype"], shape, origin + start, origin + stop)
        sound = all(type(n) is int and 0 <= n < LARGEST for n in (*shape, start, stop))
        sound = sound and 8 * (stop - start) == math.prod(shape) * BITS[entry.dtype]
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise RefusedError(
            f"{file.name}: tensor {name!r} needs a known dtype, a shape and as many bytes, "
            f"got {json.dumps(value)[:120]}"
        )
    return entry


def _check_layout(file: Path, entries: dict[str, Entry], origin: int, size: int) -> None:
    """Tensors follow one another without holes or overlaps and end with the file."""
    position = origin
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != position:
            raise RefusedError(f"{file.name}: tensor {name!r} must start at byte {position}, got {entry.start}")
        position = entry.stop
    if position != size:
        raise RefusedError(
            f"{file.name}: its tensors end at byte {position}, the file at {size} (truncated or damaged)"
        )
