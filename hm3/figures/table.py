"""The comparison that ends a run: sources, merges and the front, side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hm3.objectives import Array, Normaliser, Preference, Scores, Utility

COLUMNS = 100  # that the table must fit
_BOTH = 4  # objectives, up to which normalised scores have room beside the raw ones


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table.

    Attributes:
        name: What the model is called; a digest is cut to eight characters by the caller.
        scores: Raw scores, on the test split.
        depth: Number of layers.
    """

    name: str
    scores: Scores
    depth: int


def closing_table(
    *,
    sources: Sequence[Entry],
    merges: Sequence[Entry],
    chosen: Entry,
    front: Sequence[Entry],
    normaliser: Normaliser,
    preference: Preference,
    utility: Utility,
    merges_shown: int = 3,
    front_shown: int = 8,
    markdown: bool = False,
) -> Table:
    """The table, each part ordered by utility under the preference.

    Args:
        sources: The source checkpoints.
        merges: The parameter-space merges; the best are shown.
        chosen: The model that the preference chose.
        front: The front; the chosen one among it is not shown twice.
        normaliser: Gives the normalised scores, which stand beside the raw ones up to four objectives.
        preference: The weights; they stand under the objectives' names.
        utility: What the last column shows.
        merges_shown: Merges at most.
        front_shown: Candidates of the front at most, besides the chosen one.
        markdown: Draw the table's lines as Markdown does.
    """
    judge = _Judge(normaliser, preference, utility)
    others = [entry for entry in front if entry != chosen]
    groups = (
        ("source", judge.ranked(sources), None),
        ("merge", judge.ranked(merges), merges_shown),
        ("chosen", [chosen], None),
        ("front", judge.ranked(others), front_shown),
    )
    table = _empty(normaliser.names, preference, markdown)
    best = judge.bests([entry for _, entries, _ in groups for entry in entries])
    for kind, entries, limit in groups:
        for entry in entries[:limit]:
            table.add_row(
                kind, escape(entry.name), str(entry.depth), *judge.cells(entry, best), style=_STYLES.get(kind)
            )
        if not markdown:
            table.add_section()
    table.caption = _caption(merges, merges_shown, others, front_shown)
    return table


def closing_text(table: Table, width: int = COLUMNS) -> str:
    """The table as plain text: no colours, no terminal needed."""
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).strip("\n") + "\n"


_STYLES = {"chosen": "bold", "merge": "dim"}


@dataclass(frozen=True, slots=True)
class _Judge:
    """Scores and utilities of entries."""

    normaliser: Normaliser
    preference: Preference
    utility: Utility

    def normalised(self, entry: Entry) -> Array:
        values: Array = self.normaliser(entry.scores.values)
        return values

    def worth(self, entry: Entry) -> float:
        return float(self.utility(self.normalised(entry), np.asarray(self.preference.weights)))

    def ranked(self, entries: Sequence[Entry]) -> list[Entry]:
        return sorted(entries, key=self.worth, reverse=True)

    def bests(self, entries: Sequence[Entry]) -> Array:
        """The best of each column: K raw scores and the utility."""
        result: Array = np.max([[*entry.scores.values, self.worth(entry)] for entry in entries], axis=0)
        return result

    def cells(self, entry: Entry, best: Array) -> list[str]:
        """The entry's scores and utility; what is the best of its column is marked."""
        worth = self.worth(entry)
        normalised = self.normalised(entry) if len(self.normaliser.names) <= _BOTH else [None] * len(best)
        pairs = zip(entry.scores.values, normalised, best[:-1], strict=False)
        return [*(_cell(raw, unit, raw >= top) for raw, unit, top in pairs), _mark(f"{worth:+.3f}", worth >= best[-1])]


def _empty(names: Sequence[str], preference: Preference, markdown: bool) -> Table:
    style = box.MARKDOWN if markdown else box.SIMPLE_HEAD
    table = Table(box=style, pad_edge=markdown, collapse_padding=not markdown, caption_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("model", min_width=8, max_width=24)  # the one that wraps if there is no room
    table.add_column("depth", justify="right", no_wrap=True)
    for name, weight in zip(names, preference.weights, strict=True):
        table.add_column(
            f"{name}\n{weight:.0%}" if not markdown else f"{name} {weight:.0%}", justify="right", no_wrap=True
        )
    table.add_column("utility", justify="right", no_wrap=True)
    return table


def _cell(raw: float, normalised: float | None, best: bool) -> str:
    text = _mark(f"{raw:.3f}" if abs(raw) < 10 else f"{raw:.1f}", best)
    return text if normalised is None else f"{text}[dim]{normalised:5.2f}[/dim]"


def _mark(text: str, best: bool) -> str:
    return f"[green]{text}*[/green]" if best else f"{text} "


def _caption(merges: Sequence[Entry], merges_shown: int, front: Sequence[Entry], front_shown: int) -> str:
    hidden = {"merges": len(merges) - merges_shown, "stacks of the front": len(front) - front_shown}
    more = ", ".join(f"{count} more {what}" for what, count in hidden.items() if count > 0)
    legend = "raw score on the test split, then normalised (1: best source); * best of its column"
    return f"{legend}; {more} in front.json" if more else legend
