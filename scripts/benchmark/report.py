"""What a benchmark is asked, what it gives back, and what it keeps on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from hm3.checkpoints import write_atomic


@dataclass
class Kept:
    """Parts of a result that are done, in a file, so that an interrupted run goes on where it was.

    Attributes:
        path: The file; None keeps nothing beyond this process.
        settings: What the parts depend on; parts made under others are not used.
    """

    path: Path | None
    settings: Mapping[str, Any]
    parts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is not None and self.path.is_file():
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if found["settings"] == dict(self.settings):
                self.parts = found["parts"]

    def __call__(self, name: str, make: Callable[[], Any]) -> Any:
        """The part called `name`, a JSON value, made now if it is not there."""
        if name not in self.parts:
            self.parts[name] = make()
            if self.path is not None:
                text = json.dumps({"settings": dict(self.settings), "parts": self.parts})
                write_atomic(self.path, text)
        return self.parts[name]

    def discard(self) -> None:
        """Remove the file."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Request:
    """What is asked of a benchmark.

    Attributes:
        quick: The two-minute form.
        seed: Of everything that is drawn.
        kept: Parts that are done.
        tell: Takes a line about what is being done.
        size: Of random models to measure on instead, where a benchmark has such a form.
        zoo: Folder of another zoo's models.
        out: Where the result will be; other files may go beside it.
        table: The kept table to search on.
    """

    quick: bool
    seed: int
    kept: Kept
    tell: Callable[[str], None]
    size: str | None = None
    zoo: Path | None = None
    out: Path | None = None
    table: str = "a"


@dataclass(frozen=True)
class Report:
    """What a benchmark gives back.

    Attributes:
        summary: The figures that are promised, a JSON object.
        details: Everything else, a JSON object.
        tables: For people.
    """

    summary: Mapping[str, Any]
    details: Mapping[str, Any]
    tables: Sequence[Table]


def rounded(value: float, digits: int = 4) -> float:
    """A figure with so many digits that count."""
    return float(f"{value:.{digits}g}")
