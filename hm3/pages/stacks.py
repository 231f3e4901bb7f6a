"""Stacks as values for scripts: sources by their place in one list of looks, layers by number."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hm3.figures import Palette
from hm3.recipe import Recipe
from hm3.runs import FrontFile
from hm3.runs.showing import given, ranked

# Matplotlib's markers by Plotly's names.
_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "<": "triangle-left",
    ">": "triangle-right",
    "p": "pentagon",
    "h": "hexagon",
}
_HATCHES = {None: "", "////": "rising", "\\\\\\\\": "falling", "xxxx": "crossed"}


@dataclass(frozen=True, slots=True)
class Look:
    """How a source is drawn.

    Attributes:
        name: The source.
        colour: Of its layers.
        text: Of small text on that colour.
        hatch: Empty, or a class of ``front.css``.
        symbol: Plotly's name of its marker; empty for a merged source.
    """

    name: str
    colour: str
    text: str
    hatch: str
    symbol: str


def looks(front: FrontFile) -> dict[str, Look]:
    """Source name -> its look, as in ``front.png``, for every source that the page shows."""
    shown = sorted(ranked(front), key=lambda member: member.recipe.digest != front.chosen)
    used = list(itertools.chain.from_iterable(member.recipe.sources for member in shown))
    plain = [source.name for source in used if source.merge is None]
    palette = Palette.of(
        [*(model.name for model in given(front)), *plain], [source.name for source in used if source.merge is not None]
    )
    return {name: _look(name, palette) for name in (*palette.plain, *palette.merged)}


def _look(name: str, palette: Palette) -> Look:
    symbol = _SYMBOLS[palette.marker(name)] if name in palette.plain else ""
    return Look(name, palette.colour(name), palette.text(name), _HATCHES[palette.hatch(name)], symbol)


def looks_json(known: Mapping[str, Look]) -> list[dict[str, str]]:
    """The looks as a JSON value; their order is what stacks refer to."""
    return [asdict(look) for look in known.values()]


def stack_json(recipe: Recipe, known: Mapping[str, Look]) -> dict[str, Any]:
    """A stack as a JSON value: hosts and layers' sources as places among the looks, seams as positions."""
    place = {name: i for i, name in enumerate(known)}
    return {
        "embedding": place[recipe.embedding_host],
        "path": [[place[ref.source], ref.layer] for ref in recipe.path],
        "head": place[recipe.head_host],
        "seams": list(recipe.seams),
    }
