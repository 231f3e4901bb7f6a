"""One file, all or nothing: a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from hm3.errors import OutputError


def write_atomic(path: Path, content: str | bytes) -> Path:
    """Write `content` (text as UTF-8) to `path`, over what was there; folders are made if need be.

    Returns:
        `path`.

    Raises:
        OutputError: It cannot be written, or there is something that is no file. What was there is untouched.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a folder, or a device that would become a file
        raise OutputError(f"output {path}: a file, got something else there")
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as stream:
            stream.write(in_bytes(content))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"output {path}: must be writable, got {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return path


def in_bytes(content: str | bytes) -> bytes:
    """Text as UTF-8; in it paths may stand that the locale cannot read, and they stay the bytes that they are."""
    return content.encode(errors="surrogateescape") if isinstance(content, str) else content


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
