"""The front in pairs of objectives."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hm3.figures.palette import FAINT, INK, RULE, STAR, Palette
from hm3.objectives import Array, Candidate, Scores

MAX_PAIRS = 6


@dataclass(frozen=True, slots=True)
class Points:
    """Everything that the panels show, as raw scores of shape (N, K).

    Attributes:
        names: The objectives.
        candidates: The front.
        chosen: The chosen candidate's row.
        sources: Name -> its row of scores.
        merges: The parameter-space merges.
    """

    names: tuple[str, ...]
    candidates: Array
    chosen: int
    sources: Mapping[str, Array]
    merges: Array

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        chosen: int,
        sources: Mapping[str, Scores],
        merges: Mapping[str, Scores],
    ) -> Points:
        """Collect the scores."""
        names = candidates[0].scores.names
        return cls(
            names,
            np.array([candidate.scores.values for candidate in candidates]),
            chosen,
            {name: np.array(scores.values) for name, scores in sources.items()},
            np.array([scores.values for scores in merges.values()]).reshape(-1, len(names)),
        )

    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of objectives that are shown; (0, 0) if there is one objective only."""
        return list(itertools.combinations(range(len(self.names)), 2))[:MAX_PAIRS] or [(0, 0)]


def draw_panel(axes: Axes, points: Points, pair: tuple[int, int], palette: Palette, scale: float = 1.0) -> None:
    """Draw one pair of objectives, with text and markers `scale` times their usual size."""
    x, y = pair
    _style(axes, points.names[x], points.names[y], scale)
    if len(points.names) == 2:
        _draw_edge(axes, points.candidates[:, [x, y]])
    axes.plot(points.merges[:, x], points.merges[:, y], "x", color=FAINT, ms=5 * scale, mew=1.1, zorder=2)
    axes.plot(
        points.candidates[:, x], points.candidates[:, y], "o", color=INK, ms=5.5 * scale, mec="white", mew=0.6, zorder=4
    )
    for name, values in points.sources.items():
        style: dict[str, Any] = {"marker": palette.marker(name), "color": palette.colour(name), "mec": INK, "mew": 0.7}
        axes.plot(values[x], values[y], ls="none", ms=9.5 * scale, zorder=3, **style)
    best = points.candidates[points.chosen]
    axes.plot(best[x], best[y], "*", color=STAR, ms=17 * scale, mec=INK, mew=0.9, zorder=5)


def legend_of_panels(points: Points, palette: Palette) -> list[Line2D]:
    """One handle for each kind of point."""
    handles = [
        _handle("chosen", "*", STAR, 14),
        _handle("front", "o", INK, 6.5),
        *(_handle(name, palette.marker(name), palette.colour(name), 8) for name in points.sources),
    ]
    if len(points.merges):
        handles.append(Line2D([], [], ls="none", marker="x", color=FAINT, ms=6, mew=1.2, label="parameter merges"))
    return handles


def _handle(label: str, marker: str, colour: str, size: float) -> Line2D:
    return Line2D([], [], ls="none", marker=marker, color=colour, ms=size, mec=INK, mew=0.7, label=label)


def _style(axes: Axes, x: str, y: str, scale: float) -> None:
    axes.set_xlabel(f"{x} (raw score)", fontsize=10 * scale, color=INK)
    axes.set_ylabel(f"{y} (raw score)", fontsize=10 * scale, color=INK)
    axes.tick_params(labelsize=9 * scale, color=FAINT, labelcolor=INK)
    axes.grid(color=RULE, lw=0.8)
    axes.set_axisbelow(True)
    axes.margins(0.09)
    axes.locator_params(nbins=6)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)


def _draw_edge(axes: Axes, front: Array) -> None:
    """The border of what the front dominates; two objectives only, where it is a line."""
    ordered = front[np.argsort(front[:, 0])]
    heights = np.maximum.accumulate(ordered[::-1, 1])[::-1]  # what is dominated here may not be elsewhere: other split
    axes.step(ordered[:, 0], heights, where="pre", color=FAINT, lw=1, zorder=1)
