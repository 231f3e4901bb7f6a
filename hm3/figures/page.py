"""A figure that is laid out in inches from its upper left corner, so that nothing moves when something grows."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hm3.figures.palette import INK

MARGIN = 0.35
LEGEND_ROW = 0.25
_DPI = 150


class Page:
    """A page of so many inches. It uses no pyplot: nothing stays open, and no display is looked for.

    Args:
        width: Inches.
        height: Inches.
        scale: Of text; a wide page is looked at from further away.
    """

    def __init__(self, width: float, height: float, scale: float = 1.0) -> None:
        self.width, self.height, self.scale = width, height, scale
        self._figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose box begins at (left, top)."""
        bottom = self.height - top - height
        place = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self._figure.add_axes(place)

    def text(self, text: str, top: float, size: float) -> None:
        """A line of text at the left margin."""
        place = (MARGIN / self.width, 1 - top / self.height)
        self._figure.text(*place, text, fontsize=size * self.scale, color=INK, va="top", weight="bold")

    def legend(self, handles: Sequence[Artist], top: float) -> None:
        """A legend in rows from the left margin; `legend_height` says how much it needs."""
        place = (MARGIN / self.width, 1 - top / self.height)
        legend = self._figure.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=place,
            ncols=_columns(handles, self.width, self.scale),
            fontsize=9.5 * self.scale,
            markerscale=self.scale,
            frameon=False,
            borderaxespad=0,
            borderpad=0,
            handletextpad=0.5,
            columnspacing=1.6,
            labelcolor=INK,
        )
        legend.set_in_layout(False)

    def png(self) -> bytes:
        """The page as a PNG."""
        buffer = io.BytesIO()
        FigureCanvasAgg(self._figure).print_figure(buffer, format="png")
        return buffer.getvalue()


def legend_height(handles: Sequence[Artist], width: float, scale: float = 1.0) -> float:
    """Inches that a legend needs on a page of this width, with the space below it."""
    return scale * (LEGEND_ROW * math.ceil(len(handles) / _columns(handles, width, scale)) + 0.12)


def _columns(handles: Sequence[Artist], width: float, scale: float) -> int:
    """One row if all entries fit side by side, else as many columns as the longest entry allows."""
    widths = [scale * (0.085 * len(str(handle.get_label())) + 0.62) for handle in handles]
    room = width - 2 * MARGIN
    return len(handles) if sum(widths) <= room else max(1, int(room / max(widths)))
