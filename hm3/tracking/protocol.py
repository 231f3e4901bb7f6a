"""What a tracker is, one that keeps nothing, and one that passes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

Cell = str | int | float | bool | None


class Tracker(Protocol):
    """Keeps what a run reports. The step counts evaluations and never goes back, except after a resume."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Numbers that belong to one step; a hypervolume is called ``hypervolume``."""
        ...

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """A table, at the last step."""
        ...

    def image(self, name: str, path: Path) -> None:
        """A picture that lies at `path`, at the last step."""
        ...

    def summary(self, values: Mapping[str, Cell]) -> None:
        """What stands for the whole run."""
        ...

    def finish(self) -> None:
        """Write everything out; nothing may be logged after it."""
        ...


class NullTracker:
    """Keeps nothing, so that no caller asks whether tracking is on."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Nothing."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Nothing."""

    def image(self, name: str, path: Path) -> None:
        """Nothing."""

    def summary(self, values: Mapping[str, Cell]) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


class Tee:
    """Passes everything on to several trackers, in order.

    Args:
        trackers: Where it goes.
    """

    def __init__(self, *trackers: Tracker) -> None:
        self._trackers = trackers

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Log to each."""
        for tracker in self._trackers:
            tracker.log(metrics, step)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Give the table to each."""
        for tracker in self._trackers:
            tracker.table(name, columns, rows)

    def image(self, name: str, path: Path) -> None:
        """Give the picture to each."""
        for tracker in self._trackers:
            tracker.image(name, path)

    def summary(self, values: Mapping[str, Cell]) -> None:
        """Give the summary to each."""
        for tracker in self._trackers:
            tracker.summary(values)

    def finish(self) -> None:
        """Finish each."""
        for tracker in self._trackers:
            tracker.finish()
