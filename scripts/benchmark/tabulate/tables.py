"""The tables that are kept with the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hm3.tabulated import StackTable, load_table

TABLES = Path(__file__).resolve().parents[1] / "tables"


def kept_table(name: str, expected: Mapping[str, object] | None = None) -> StackTable:
    """Table ``a``, of the built-in zoo, or ``b``, of another one.

    Args:
        name: Which.
        expected: As of `load_table`.

    Raises:
        CheckpointError: There is no such table, or it is damaged.
        ConfigurationError: It was made from something else.
    """
    return load_table(TABLES / f"{name}.tensors", expected)
