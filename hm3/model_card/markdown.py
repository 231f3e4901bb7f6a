"""Names from elsewhere, made harmless: they show as they are, and neither end a table nor begin a link or a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SPECIAL = re.compile(r"([\\`*\[\]<>|#~&!$]|:(?=//)|(?<=www)\.)")  # the last two: bare addresses become links


def plain(text: object) -> str:
    """A text on one line in which nothing means anything to Markdown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return _SPECIAL.sub(r"\\\1", " ".join(shown.split()))


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A table's lines; cells are made harmless."""
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(plain(cell) for cell in row)} |"
