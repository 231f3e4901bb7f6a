"""Strict JSON, and the refusal that names no source yet: `Checkpoint.open` adds the name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hm3.errors import CheckpointError


class RefusedError(CheckpointError):
    """A rule that a checkpoint breaks, and what came instead."""


def read_json(file: Path) -> dict[str, Any]:
    """A JSON file that holds one object, no key twice.

    Raises:
        RefusedError: It is missing, unreadable, or something else.
    """
    try:
        return parse_json(file.read_bytes(), file.name)
    except OSError as error:
        raise RefusedError(f"{file.name}: a readable file, got {error.strerror}") from error


def parse_json(text: bytes, name: str) -> dict[str, Any]:
    """The object in `text`; `name` is the file's, for messages.

    Raises:
        RefusedError: It is not JSON, not an object, or has a key twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{name}: JSON, got {str(error)[:160]}") from error
    if not isinstance(value, dict):
        raise RefusedError(f"{name}: a JSON object, got {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} twice")
    return value
