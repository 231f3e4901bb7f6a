"""``front.png``: the front in pairs of objectives, and below it the stacks that it is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.artist import Artist

from hm3.checkpoints import write_atomic
from hm3.figures.page import MARGIN, Page, legend_height
from hm3.figures.palette import Palette
from hm3.figures.panels import Points, draw_panel, legend_of_panels
from hm3.figures.strips import draw_strips, least_width, legend_of_strips, shown_first, strips_height
from hm3.objectives import Candidate, Scores

WIDTH, TITLE = 11.0, 0.42  # inches
PANEL, LONE_PANEL = 2.7, 3.6
AXIS_LEFT, AXIS_BELOW = 0.62, 0.78
STAR_SPACE = 0.22  # left of the strips


def draw_front(
    path: Path,
    *,
    candidates: Sequence[Candidate],
    chosen: str,
    sources: Mapping[str, Scores],
    merges: Mapping[str, Scores] | None = None,
    title: str = "",
) -> None:
    """Draw the front as a PNG.

    Args:
        path: Where it goes.
        candidates: The front, at least one; raw scores of one split. The first ones get a strip.
        chosen: Digest of the chosen candidate.
        sources: Name -> raw scores of the source checkpoints; their order gives the colours.
        merges: Name -> raw scores of the parameter-space merges.
        title: One line above everything.

    Raises:
        OutputError: The file cannot be written.
    """
    best = [candidate.recipe.digest for candidate in candidates].index(chosen)
    points = Points.of(candidates, best, sources, merges or {})
    palette = _palette(shown_first(candidates, best), sources)
    write_atomic(path, _page(candidates, points, palette, title).png())


def _palette(candidates: Sequence[Candidate], sources: Mapping[str, Scores]) -> Palette:
    used = [source for candidate in candidates for source in candidate.recipe.sources]
    plain = [*sources, *(source.name for source in used if source.merge is None)]
    return Palette.of(plain, (source.name for source in used if source.merge is not None))


def _page(candidates: Sequence[Candidate], points: Points, palette: Palette, title: str) -> Page:
    depth = max(candidate.recipe.depth for candidate in candidates)
    layout = _Layout.of(points, depth)
    shown = shown_first(candidates, points.chosen)
    above, below = legend_of_panels(points, palette), legend_of_strips(palette, [each.recipe for each in shown])
    panels = MARGIN + layout.scale * TITLE + layout.legend(above)
    keys = panels + layout.rows * layout.slot_height
    strips = keys + layout.legend(below)
    page = Page(layout.width, strips + strips_height(len(candidates)) + MARGIN / 2, layout.scale)
    page.text(title or _title(len(candidates)), MARGIN, 13)
    page.legend(above, MARGIN + layout.scale * TITLE)
    for place, pair in enumerate(points.pairs()):
        draw_panel(page.axes(*layout.panel(place, panels)), points, pair, palette, layout.scale)
    page.legend(below, keys)
    inner = layout.width - 2 * MARGIN - STAR_SPACE
    axes = page.axes(MARGIN + STAR_SPACE, strips, inner, strips_height(len(candidates)))
    draw_strips(axes, candidates, points.chosen, palette, inner)
    return page


def _title(count: int) -> str:
    return "Pareto front: 1 stack" if count == 1 else f"Pareto front: {count} stacks"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the panels lie: up to three side by side; everything grows on a page that deep stacks make wide."""

    width: float
    panels: int

    @classmethod
    def of(cls, points: Points, depth: int) -> _Layout:
        return cls(max(WIDTH, least_width(points.names, depth) + 2 * MARGIN + STAR_SPACE), len(points.pairs()))

    @property
    def scale(self) -> float:
        return self.width / WIDTH

    @property
    def rows(self) -> int:
        return math.ceil(self.panels / self.columns)

    @property
    def columns(self) -> int:
        return min(3, self.panels)

    @property
    def panel_height(self) -> float:
        return self.scale * (LONE_PANEL if self.panels == 1 else PANEL)

    @property
    def slot_height(self) -> float:
        return self.panel_height + self.scale * AXIS_BELOW

    def legend(self, handles: Sequence[Artist]) -> float:
        return legend_height(handles, self.width, self.scale)

    def panel(self, place: int, top: float) -> tuple[float, float, float, float]:
        """Left, top, width and height of a panel."""
        row, column = divmod(place, self.columns)
        slot = (self.width - 2 * MARGIN) / self.columns
        axis = self.scale * AXIS_LEFT
        return MARGIN + column * slot + axis, top + row * self.slot_height, slot - axis - 0.15, self.panel_height
