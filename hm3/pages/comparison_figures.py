"""The figures by which runs are compared, and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hm3.runs.finished import FinishedRun


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a run.

    Attributes:
        name: What it is called.
        of: The figure; None where a run lacks it.
        digits: After the point.
    """

    name: str
    of: Callable[[FinishedRun], float | None]
    digits: int = 3

    def text(self, value: float | None) -> str:
        """A value of this figure as text; a dash for none."""
        return "–" if value is None else f"{value:.{self.digits}f}".replace("-", "−")


def _ratio(run: FinishedRun) -> float | None:
    interval = run.front.hypervolume_ratio
    return None if interval is None else interval.value


FIGURES = (
    Figure("hypervolume", lambda run: run.front.hypervolume),
    Figure("ratio", _ratio),
    Figure("utility", lambda run: run.utility),
    Figure("evaluations", lambda run: run.front.evaluations, digits=0),
)


def duration(seconds: float | None) -> str:
    """Hours, minutes and seconds; a dash where they are not known."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
