"""A table of results, for people's eyes and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.table import Table


@dataclass(frozen=True)
class Sheet:
    """What is shown of a benchmark, in its result file under ``details.tables``.

    Attributes:
        title: What it shows.
        columns: Heads; the first names the row.
        rows: Cells as they are shown.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def json(self) -> dict[str, Any]:
        """It, as the page takes it."""
        return asdict(self)

    def rich(self) -> Table:
        """It, for a terminal."""
        table = Table(box=box.SIMPLE_HEAD, title=self.title)
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        return table
