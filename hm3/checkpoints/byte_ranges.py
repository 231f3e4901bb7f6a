"""Bytes on their way from file to file, a few at a time and never mapped: mapped pages count as memory in use."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from hm3.errors import CheckpointError

CHUNK = 1 << 20  # stays in the processor's cache between reading and writing


def copy_range(source: Path, start: int, count: int, target: int, at: int) -> None:
    """Copy `count` bytes of the file `source` from byte `start` into the open file `target` from byte `at`.

    Raises:
        CheckpointError: The source cannot be read, or ends too early.
        OSError: The target cannot be written.
    """
    buffer = memoryview(bytearray(min(CHUNK, count)))
    descriptor = _open(source)
    try:
        while count:
            got = _read(source, descriptor, buffer[: min(CHUNK, count)], start)
            _write_all(target, buffer[:got], at)
            start, at, count = start + got, at + got, count - got
    finally:
        os.close(descriptor)


def write_bytes(target: int, at: int, tensor: Tensor) -> None:
    """Write a tensor's elements, row by row, into the open file `target` from byte `at`."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    _write_all(target, flat.view(torch.uint8).numpy().data, at)


def _open(source: Path) -> int:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CheckpointError(f"{source}: a readable file, got {error.strerror}") from error
    if hasattr(os, "posix_fadvise"):  # reads further ahead; macOS has none
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return descriptor


def _read(source: Path, descriptor: int, buffer: memoryview, start: int) -> int:
    try:
        got = os.preadv(descriptor, [buffer], start)
    except OSError as error:
        raise CheckpointError(f"{source}: a readable file, got {error.strerror}") from error
    if not got:
        raise CheckpointError(f"{source}: as long as when it was opened, got its end at byte {start}")
    return got


def _write_all(target: int, content: memoryview, at: int) -> None:
    while content:
        done = os.pwrite(target, content[:CHUNK], at)
        content, at = content[done:], at + done
