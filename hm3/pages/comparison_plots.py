"""What the plots of a comparison need, as values for their script."""

from __future__ import annotations

import itertools
from typing import Any

from hm3.figures import Palette
from hm3.pages.comparison_groups import Group
from hm3.runs.finished import FinishedRun
from hm3.runs.showing import given, shown_scores

_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "pentagon", "hexagon")
_COLOURS = 10  # that the palette tells apart


def plots(group: Group) -> dict[str, Any]:
    """What the plots of a group need; scores are on the test split where there are any."""
    front = group.runs[0].front
    return {
        "objectives": list(group.names),
        "pairs": list(itertools.combinations(range(len(group.names)), 2)),
        "variants": [
            {"colour": colour, "symbol": _SYMBOLS[i // _COLOURS % len(_SYMBOLS)]}
            for i, colour in enumerate(colours(group))
        ],
        "runs": [_plotted(run, i) for i, variant in enumerate(group.variants) for run in variant.runs],
        "sources": [{"name": model.name, "values": shown_scores(model, front).values} for model in given(front)],
    }


def _plotted(run: FinishedRun, variant: int) -> dict[str, Any]:
    digests = [member.recipe.digest for member in run.front.candidates]
    return {
        "name": run.name,
        "variant": variant,
        "evaluations": [evaluations for evaluations, _ in run.curve],
        "hypervolume": [volume for _, volume in run.curve],
        "digests": [digest[:8] for digest in digests],
        "front": [shown_scores(member, run.front).values for member in run.front.candidates],
        "chosen": digests.index(run.front.chosen),
    }


def colours(group: Group) -> list[str]:
    """One for each variant; they come again after ten, with another symbol."""
    names = [str(i) for i in range(len(group.variants))]
    palette = Palette.of(names, ())
    return [palette.colour(name) for name in names]
