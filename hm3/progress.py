"""What a run shows while it goes: stage, done of total, best utility, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run.

    Attributes:
        name: What people read.
        total: How many items it has, or about how many; `Progress.begin` corrects it.
        cost: What an item costs against one of the other stages; any unit.
        done: Items that a resumed run finds done.
        stacks: How many stacks an item judges that no earlier stage has.
    """

    name: str
    total: int
    cost: float = 1.0
    done: int = 0
    stacks: int = 1

    @property
    def evaluations(self) -> int:
        """Distinct stacks that the stage judges, if none comes twice."""
        return self.total * self.stacks


class Progress(Protocol):
    """Told about every item that is done."""

    def begin(self, stage: str, total: int) -> None:
        """A stage begins, with so many items: what was said before was a guess."""
        ...

    def advance(self, stage: str, done: int = 1, best: float | None = None) -> None:
        """So many more items of a stage are done; `best` is the best utility so far."""
        ...

    def note(self, text: str) -> None:
        """Something to be said once."""
        ...


class NullProgress:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def begin(self, stage: str, total: int) -> None:
        """Nothing."""

    def advance(self, stage: str, done: int = 1, best: float | None = None) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class ConsoleProgress:
    """A live line on a terminal; elsewhere a plain line now and then. Use it as a context manager.

    The remaining time is that of the whole run: the present stage's own speed, carried to later stages by their cost.

    Args:
        stages: The parts of the run, in order.
        console: Where to show it.
        every: Seconds between plain lines.
        clock: Seconds, for tests.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        console: Console | None = None,
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console()
        self._every, self._clock = every, clock
        self._stages = {stage.name: stage for stage in stages}
        self._totals = {stage.name: stage.total for stage in stages}
        self._done = {stage.name: stage.done for stage in stages}
        self._best: float | None = None
        self._start_stage(stages[0], clock())
        self._said = self._told = clock()
        self._pace: float | None = None  # seconds for one unit of cost
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._began = self._said = self._told = self._clock()
        if self._console.is_terminal:
            self._live = Live(self, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        self._say()

    def begin(self, stage: str, total: int) -> None:
        """A stage begins, with so many items: what was said before was a guess."""
        self._totals[stage] = total
        self._told = self._clock()
        self._start_stage(self._stages[stage], self._told)

    def advance(self, stage: str, done: int = 1, best: float | None = None) -> None:
        """So many more items of a stage are done; `best` is the best utility so far."""
        if stage != self._current.name:
            self._start_stage(self._stages[stage], self._told)  # its first item was begun when the last one ended
        self._done[stage] += done
        self._best = self._best if best is None else best
        self._measure()
        if self._live is None and self._clock() - self._said >= self._every:
            self._say()

    def note(self, text: str) -> None:
        """A line of its own."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    @property
    def remaining(self) -> float | None:
        """Seconds until the run ends; None before the first item."""
        if self._pace is None:
            return None
        names = list(self._stages)
        rest = names[names.index(self._current.name) :]
        left = sum(max(0, self._totals[n] - self._done[n]) * self._stages[n].cost for n in rest)
        return self._pace * left

    def line(self) -> str:
        """The state as plain text."""
        stage, done = self._current, self._done[self._current.name]
        parts = [f"{stage.name} {done}/{self._totals[stage.name]}"]
        parts += [] if self._best is None else [f"best utility {self._best:+.3f}"]
        parts += [] if self.remaining is None else [f"{clock_text(self.remaining)} left"]
        return ", ".join(parts)

    def __rich__(self) -> Table:
        """The state as rich shows it."""
        stage = self._current
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(1, self._totals[stage.name]), completed=self._done[stage.name], width=24)
        row.add_row(bar, Text(self.line()))
        return row

    def _start_stage(self, stage: Stage, began: float) -> None:
        self._current, self._began, self._found = stage, began, self._done[stage.name]

    def _measure(self) -> None:
        self._told = self._clock()
        work = (self._done[self._current.name] - self._found) * self._current.cost
        if work > 0:
            self._pace = (self._told - self._began) / work

    def _say(self) -> None:
        self._said = self._clock()
        self._console.print(self.line(), highlight=False, markup=False, soft_wrap=True)


def clock_text(seconds: float) -> str:
    """Seconds as people read them: ``4:05``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
