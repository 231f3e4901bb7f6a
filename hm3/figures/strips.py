"""Stacks as strips of layers, coloured by source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from hm3.figures.palette import FAINT, INK, STAR, Palette
from hm3.objectives import Candidate
from hm3.recipe import Recipe

MAX_STRIPS = 25
ROW, BAR, HEADER, FOOTER = 0.31, 0.22, 0.34, 0.3  # inches
LABEL, GAP, PAD = 1.25, 0.08, 0.2
WIDEST, NARROWEST = 0.75, 0.19  # of a cell
_POINTS = 72  # an inch has


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the strips' parts lie, in inches from the left.

    Attributes:
        cell: Width of a layer.
        scores: Where each objective's column of scores ends.
    """

    cell: float
    scores: tuple[float, ...]

    @classmethod
    def of(cls, names: Sequence[str], depth: int, width: float) -> Plan:
        """Share `width` between the strips of up to `depth` layers and the columns of scores."""
        columns = [column_width(name) for name in names]
        free = width - LABEL - sum(columns) - PAD - 2 * GAP
        cell = min(WIDEST, free / (depth + 2))
        start = LABEL + cell * (depth + 2) + 2 * GAP + PAD
        return cls(cell, tuple(start + sum(columns[: i + 1]) for i in range(len(columns))))

    def layer(self, position: int) -> float:
        """Where a layer begins."""
        return LABEL + self.cell + GAP + position * self.cell


def column_width(name: str) -> float:
    """Inches for a column of scores under its objective's name."""
    return max(0.62, 0.085 * len(name) + 0.16)


def least_width(names: Sequence[str], depth: int) -> float:
    """Inches that keep the cells of a stack legible."""
    return LABEL + NARROWEST * (depth + 2) + 2 * GAP + PAD + sum(column_width(name) for name in names)


def strips_height(count: int) -> float:
    """Inches for so many candidates."""
    return HEADER + ROW * min(count, MAX_STRIPS) + FOOTER


def shown_first(candidates: Sequence[Candidate], chosen: int) -> list[Candidate]:
    """The candidates that get a strip: the chosen one, then the first of the others."""
    return [candidates[chosen], *candidates[:chosen], *candidates[chosen + 1 :]][:MAX_STRIPS]


def draw_strips(axes: Axes, candidates: Sequence[Candidate], chosen: int, palette: Palette, width: float) -> None:
    """Draw the chosen candidate and then the others in their order; the axes' unit is the inch."""
    shown = shown_first(candidates, chosen)
    names = candidates[0].scores.names
    plan = Plan.of(names, max(candidate.recipe.depth for candidate in shown), width)
    axes.set(xlim=(0, width), ylim=(strips_height(len(candidates)), 0))
    axes.set_axis_off()
    _draw_header(axes, names, plan)
    for row, candidate in enumerate(shown):
        _draw_row(axes, candidate, HEADER + row * ROW, palette, plan)
    _outline(axes, shown[0].recipe, plan)
    _draw_footer(axes, len(candidates) - len(shown), HEADER + len(shown) * ROW)


def legend_of_strips(palette: Palette, recipes: Sequence[Recipe]) -> list[Patch]:
    """One handle for each source that gives a layer or is a host."""
    used = {source.name for recipe in recipes for source in recipe.sources}
    names = [name for name in (*palette.plain, *palette.merged) if name in used]
    return [Patch(**_fill(palette, name), label=name) for name in names]


def _draw_header(axes: Axes, names: Sequence[str], plan: Plan) -> None:
    style: dict[str, Any] = {"fontsize": 9, "color": FAINT, "va": "center"}
    middle = HEADER / 2
    axes.text(0, middle, "stack, layers", **style)
    axes.text(plan.layer(0), middle, "first layer → last layer", **style)
    for name, right in zip(names, plan.scores, strict=True):
        axes.text(right, middle, name, ha="right", **style)


def _draw_row(axes: Axes, candidate: Candidate, top: float, palette: Palette, plan: Plan) -> None:
    recipe, middle = candidate.recipe, top + BAR / 2
    label = f"{recipe.digest[:8]} {recipe.depth:>3}"
    axes.text(0, middle, label, fontsize=9, color=INK, va="center", family="monospace")
    _cell(axes, LABEL, top, recipe.embedding_host, "e", palette, plan)
    for position, ref in enumerate(recipe.path):
        _cell(axes, plan.layer(position), top, ref.source, str(ref.layer), palette, plan)
    _cell(axes, plan.layer(recipe.depth) + GAP, top, recipe.head_host, "h", palette, plan)
    for seam in recipe.seams:
        x = plan.layer(seam)
        axes.plot([x, x], [top - 0.035, top + BAR + 0.035], color=INK, lw=2, solid_capstyle="butt", zorder=3)
    for value, right in zip(candidate.scores.values, plan.scores, strict=True):
        axes.text(right, middle, f"{value:.3f}", fontsize=9, color=INK, ha="right", va="center")


def _cell(axes: Axes, left: float, top: float, source: str, text: str, palette: Palette, plan: Plan) -> None:
    axes.add_patch(Rectangle((left, top), plan.cell, BAR, **_fill(palette, source)))
    axes.plot([left, left], [top, top + BAR], color="white", lw=0.7, zorder=2)
    size = min(8.0, plan.cell * _POINTS / 1.75)
    if size >= 4:
        place = (left + plan.cell / 2, top + BAR / 2)
        axes.text(*place, text, fontsize=size, color=palette.text(source), ha="center", va="center_baseline", zorder=4)


def _outline(axes: Axes, recipe: Recipe, plan: Plan) -> None:
    left, right = LABEL - 0.04, plan.layer(recipe.depth) + GAP + plan.cell + 0.04
    frame = Rectangle((left, HEADER - 0.045), right - left, BAR + 0.09, fill=False, edgecolor=STAR, lw=2, zorder=5)
    axes.add_patch(frame)
    axes.plot(-0.14, HEADER + BAR / 2, "*", color=STAR, ms=12, mec=INK, mew=0.8, clip_on=False)


def _draw_footer(axes: Axes, hidden: int, top: float) -> None:
    keys = "e, h: hosts of embedding and head; dark ticks: seams"
    more = f"and {hidden} more candidate{'s' if hidden > 1 else ''} in front.json.  " if hidden else ""
    axes.text(0, top + FOOTER / 2, more + keys, fontsize=9, color=FAINT, va="center")


def _fill(palette: Palette, name: str) -> dict[str, Any]:
    hatch = palette.hatch(name)
    colour = palette.colour(name)
    # Matplotlib draws hatches in the edge's colour.
    return {"facecolor": colour, "edgecolor": "white" if hatch else colour, "hatch": hatch, "lw": 0}
