"""Tokens that a folder names beside its tokenizer.json: transformers gives those that it lacks the next numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hm3.checkpoints.reading import read_json

_ADDED = "added_tokens.json"
_NAMING = ("tokenizer_config.json", "special_tokens_map.json")
_KEYS = ("_token", "_tokens", "added_tokens_decoder")  # ends of keys, of single tokens and of many


def stated_tokens(folder: Path) -> frozenset[str]:
    """Special and added tokens, as files beside tokenizer.json name them.

    Raises:
        RefusedError: A file is not JSON.
    """
    named = [value for file in _NAMING for key, value in _read(folder / file).items() if key.endswith(_KEYS)]
    return frozenset((*_read(folder / _ADDED), *_texts(named)))


def _read(file: Path) -> dict[str, Any]:
    return read_json(file) if file.is_file() else {}


def _texts(value: Any) -> Iterator[str]:
    """A token is a text, or an object with its ``content``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([value["content"]] if "content" in value else [*value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
