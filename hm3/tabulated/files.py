"""A table as a file of a few hundred kilobytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hm3.checkpoints import write_atomic
from hm3.checkpoints.noted import packed_with_note, unpacked_with_note
from hm3.errors import ConfigurationError
from hm3.recipe import Source
from hm3.tabulated.table import StackTable

_KIND = "stack table"


def save_table(table: StackTable, file: Path) -> None:
    """Write it; whole or absent at any moment, the same bytes for the same table."""
    note = {
        "kind": _KIND,
        "sources": [source.to_json() for source in table.sources],
        "depth": table.depth,
        "names": list(table.names),
        "floors": list(table.floors),
        "made_from": dict(table.made_from),
    }
    write_atomic(file, packed_with_note({"counts": table.counts}, note))


def load_table(file: Path, expected: Mapping[str, object] | None = None) -> StackTable:
    """Read it.

    Args:
        file: What `save_table` wrote.
        expected: Digests and numbers that it must have been made from (``sources``, a list of digests, among them);
            None takes any.

    Raises:
        CheckpointError: The file is damaged.
        ConfigurationError: It is no table, or was made from something else.
    """
    arrays, note = unpacked_with_note(file)
    if note.get("kind") != _KIND:
        raise ConfigurationError(f"{file}: a table of stacks, got {note.get('kind')!r}")
    sources = tuple(Source.from_json(each) for each in note["sources"])
    made_from = {"sources": [source.digest for source in sources], **note["made_from"]}
    for name, value in (expected or {}).items():
        if made_from.get(name) != value:
            raise ConfigurationError(f"{file}: a table made from {name} {value}, got {made_from.get(name)}")
    known = tuple(note["made_from"].items())
    return StackTable(sources, note["depth"], tuple(note["names"]), tuple(note["floors"]), known, arrays["counts"])
