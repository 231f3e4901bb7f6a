"""Digests of what a checkpoint computes, whatever its files are called and however they are cut into shards."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from hm3.checkpoints.safetensors_header import Entry
from hm3.recipe import digest_of

INCIDENTAL = ("_name_or_path", "_commit_hash", "transformers_version", "use_cache", "torch_dtype", "dtype")
CHUNK = 1 << 20


def essentials(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config without what does not change the model (the weights' type is in the weights)."""
    return {key: value for key, value in config.items() if key not in INCIDENTAL}


def tensors_digest(files: Mapping[Path, Mapping[str, Entry]]) -> str:
    """SHA-256 over every tensor's name, type, shape and bytes, in the order of names."""
    digests: dict[str, str] = {}
    for file in files:
        digests |= _file_tensors(file, *_state(file), tuple(files[file].items()))
    return digest_of(digests)


def file_digest(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _state(file: Path) -> tuple[int, int, int]:
    stat = file.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=1024)
def _file_tensors(
    file: Path, inode: int, size: int, changed: int, entries: tuple[tuple[str, Entry], ...]
) -> dict[str, str]:
    """Tensor -> digest; kept for the file's present state, so that each byte is read once in a process."""
    with file.open("rb") as stream:
        return {name: _tensor(stream, entry) for name, entry in sorted(entries, key=lambda item: item[1].start)}


def _tensor(stream: BinaryIO, entry: Entry) -> str:
    content = hashlib.sha256(f"{entry.dtype}{list(entry.shape)}".encode())
    stream.seek(entry.start)
    buffer = memoryview(bytearray(CHUNK))
    left = entry.stop - entry.start
    while left:
        count = stream.readinto(buffer[: min(left, CHUNK)])  # type: ignore[attr-defined]
        if not count:
            raise OSError(errno.EIO, "file became shorter while it was read")
        content.update(buffer[:count])
        left -= count
    return content.hexdigest()
