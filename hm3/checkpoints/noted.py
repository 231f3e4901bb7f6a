"""Named arrays and a note about them in one safetensors file, which comes back as it was written or is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from hm3.checkpoints.arrays import Arrays, content_digest, packed
from hm3.checkpoints.reading import RefusedError
from hm3.checkpoints.safetensors_header import read_header
from hm3.errors import CheckpointError
from hm3.recipe import digest_of

_KEY = "hm3"  # of the metadata; one, because safetensors writes several in no certain order


def packed_with_note(arrays: Arrays, note: Any) -> bytes:
    """The content of a file that holds these arrays and a note, a JSON value; the same for the same ones."""
    named = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    return save(named, {_KEY: json.dumps({"note": note, "sha256": _seal(arrays, note)}, sort_keys=True)})


def unpacked_with_note(file: Path) -> tuple[Arrays, Any]:
    """The arrays in a file, and the note.

    Raises:
        CheckpointError: It is missing, damaged, or of another kind.
    """
    try:
        read_header(file)
        content = file.read_bytes()
        arrays, kept = load(content), json.loads(_metadata(content)[_KEY])
        note, seal = kept["note"], kept["sha256"]
    except OSError as error:
        raise CheckpointError(f"{file}: a readable file, got {error.strerror or error}") from error
    except RefusedError as refusal:
        raise CheckpointError(f"{file}: {refusal}") from refusal
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file}: safetensors with a note, got {str(error).splitlines()[0]:.80}") from error
    if seal != _seal(arrays, note):
        raise CheckpointError(f"{file}: as it was written, got other content (damaged)")
    return arrays, note


def _metadata(content: bytes) -> dict[str, str]:
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def _seal(arrays: Arrays, note: Any) -> str:
    return digest_of([content_digest(packed(arrays)), note])
