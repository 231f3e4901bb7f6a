"""What the page tells, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.page import curves

Draw = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Section:
    """A part of the page, about one result file.

    Attributes:
        title: Its head.
        result: The file below `scripts/benchmark`, without ``.json``.
        texts: Files of `texts` that say what was measured and how to read it.
        drawings: Name of a drawing -> what makes it of the result, as SVG.
    """

    title: str
    result: str
    texts: tuple[str, ...]
    drawings: Mapping[str, Draw] = field(default_factory=dict)


SECTIONS: tuple[Section, ...] = (
    Section(
        "Search: table A, where settings were chosen",
        "results/search_a",
        ("contest", "tuned"),
        {"search_a": curves.draw},
    ),
    Section("Settings that were tried for the rivals", "results/tuning_a", ("tuning",)),
    Section("What each parameter level is worth", "results/parameter", ("parameter",)),
    Section("What a candidate costs at 0.5 B", "results/parameter_0.5B", ("parameter_size",)),
    Section("Table A", "tables/a", ("table_a",)),
    Section("Table B", "tables/b", ("table_b",)),
)
