"""Strict JSON, and the refusal that names no source yet: `Checkpoint.open` adds the name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from hm3.errors import CheckpointError

MAX_BYTES = 256 * 10**6  # the largest tokenizers have 35 MB, the indices of the largest models 10 MB


class RefusedError(CheckpointError):
    """A rule that a checkpoint breaks, and what came instead."""


def read_json(file: Path) -> dict[str, Any]:
    """A JSON file that holds one object, no key twice.

    Raises:
        RefusedError: It is missing, unreadable, absurdly large, or something else.
    """
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise RefusedError(f"{file.name}: at most {MAX_BYTES} bytes, got {size}")
        return parse_json(file.read_bytes(), file.name)
    except OSError as error:
        raise RefusedError(f"{file.name}: a readable file, got {error.strerror}") from error


def parse_json(text: bytes, name: str) -> dict[str, Any]:
    """The object in `text`; `name` is the file's, for messages.

    Raises:
        RefusedError: It is not JSON (NaN and Infinity are none), not an object, or has a key twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{name}: JSON, got {str(error)[:160]}") from error
    if not isinstance(value, dict):
        raise RefusedError(f"{name}: a JSON object, got {type(value).__name__}")
    return value


def one_line(error: Exception) -> str:
    """What another library complains of, in one line of at most 200 characters."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 200 else f"{words[:197]}..."


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} twice")
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no number")
