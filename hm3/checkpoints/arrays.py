"""Small named arrays in a safetensors file, beside a model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from hm3.checkpoints.reading import RefusedError
from hm3.checkpoints.safetensors_header import read_header
from hm3.errors import CheckpointError

Arrays = Mapping[str, NDArray[Any]]


def packed(arrays: Arrays) -> bytes:
    """The content of a file that holds these arrays; the same for the same arrays."""
    return save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})


def unpacked(file: Path, digest: str) -> Arrays:
    """The arrays in a file.

    Args:
        file: The file.
        digest: SHA-256 of its content.

    Raises:
        CheckpointError: It is missing, damaged, or another file.
    """
    try:
        read_header(file)
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{file}: a readable file, got {error.strerror or error}") from error
    except RefusedError as refusal:
        raise CheckpointError(f"{file}: {refusal}") from refusal
    found = content_digest(content)
    if found != digest:
        raise CheckpointError(f"{file}: content of digest {digest[:12]}, got {found[:12]}")
    try:
        return load(content)
    except SafetensorError as error:
        raise CheckpointError(f"{file}: safetensors, got {str(error).splitlines()[0]}") from error


def content_digest(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()
