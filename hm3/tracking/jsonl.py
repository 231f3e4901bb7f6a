"""A run's record as a file: one JSON object a line, in the order in which things happened."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hm3.errors import ConfigurationError, OutputError
from hm3.tracking.protocol import Cell

FILE = "metrics.jsonl"


class JsonlTracker:
    """Writes ``metrics.jsonl``. A line is written at once and whole: a killed run leaves at most one partial line.

    Lines are ``{"step": 12, "hypervolume": 0.4}``, ``{"table": name, "columns": [...], "rows": [...]}``,
    ``{"image": name, "path": ...}`` or ``{"summary": {...}}``. Numbers that JSON lacks (NaN, infinity) are null.

    Args:
        folder: The run folder; made if missing.
        kept: Bytes of an earlier file that stay; what comes after them is dropped, because it will happen again.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, folder: Path, kept: int = 0) -> None:
        self._folder = folder
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.truncate(path, min(kept, path.stat().st_size))
            self._file = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise OutputError(f"{path}: must be writable, got {error.strerror or error}") from error

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """One line with the step and its numbers."""
        self._write({"step": step, **metrics})

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """One line with the table."""
        self._write({"table": name, "columns": list(columns), "rows": [list(row) for row in rows]})

    def image(self, name: str, path: Path) -> None:
        """One line that says where the picture lies, from the run folder if it is inside."""
        inside = path.is_relative_to(self._folder)
        self._write({"image": name, "path": str(path.relative_to(self._folder) if inside else path)})

    def summary(self, values: Mapping[str, Cell]) -> None:
        """One line with the summary."""
        self._write({"summary": dict(values)})

    def finish(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(_line(record))


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a ``metrics.jsonl``, without a last line that a killed run left unfinished.

    Raises:
        ConfigurationError: A line before the last is no JSON object.
    """
    lines = path.read_bytes().split(b"\n")[:-1]  # only lines that end count
    return [_record(path, number, line) for number, line in enumerate(lines, start=1)]


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        came = line[:40].decode(errors="replace")
        raise ConfigurationError(f"{path}, line {number}: one JSON object a line, got {came!r}")
    return record


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(_plain(record), allow_nan=False, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """The value in JSON's types: NumPy numbers become Python's, what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
