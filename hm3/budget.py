"""A budget for a search: evaluations or minutes, and who may still spend them."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from hm3.checks import number, whole_or_none
from hm3.errors import ConfigurationError

PATIENCE = 4  # times as many rounds as the budget would need if every stack were new: a search that repeats itself ends


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend at most; without any limit the numbers of rollouts and rounds rule.

    Attributes:
        evaluations: Distinct stacks that are judged, sources and merges included; None for no limit.
        minutes: Of the whole run, about; None for no limit.
        offline: Share that training may spend.
        report: Share of the minutes that is kept for the test split.
    """

    evaluations: int | None = None
    minutes: float | None = None
    offline: float = 0.5
    report: float = 0.15

    def __post_init__(self) -> None:
        whole_or_none("budget.evaluations", self.evaluations, 1)
        if self.minutes is not None:
            number("budget.minutes", self.minutes, 0, above=True)
        number("budget.offline", self.offline, 0, 1)
        number("budget.report", self.report, 0, 1)

    @property
    def stated(self) -> bool:
        """Whether there is a limit."""
        return self.evaluations is not None or self.minutes is not None


class Spending:
    """How much of a budget is gone. Rounds ask before they begin.

    Args:
        budget: The limits.
        evaluations: Tells how many distinct stacks have been judged.
        reserved: Evaluations that later steps need whatever happens: merges that are judged.
        seconds: That the run has taken so far.
        further: Evaluations beyond all of these that there must be.
        clock: Seconds, for tests.

    Raises:
        ConfigurationError: The budget isn't even enough for what is reserved.
    """

    def __init__(
        self,
        budget: Budget,
        evaluations: Callable[[], int],
        *,
        reserved: int = 0,
        seconds: float = 0.0,
        further: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget, self._evaluations, self._clock = budget, evaluations, clock
        self._reserved = reserved
        self._began = clock() - seconds
        self._asked_at: float | None = None
        taken = evaluations() + reserved
        if budget.evaluations is not None and budget.evaluations < taken + further:
            rule = f"at least {taken + further} (sources and merges take {taken})"
            raise ConfigurationError(f"budget.evaluations: {rule}, got {budget.evaluations}")

    @property
    def seconds(self) -> float:
        """That the run has taken so far."""
        return self._clock() - self._began

    def release(self) -> None:
        """What was reserved has been spent."""
        self._reserved = 0

    def room(self, share: float = 1.0) -> int | None:
        """Evaluations that may still be spent within a share of the budget; None for no limit."""
        if self.budget.evaluations is None:
            return None
        free = self.budget.evaluations - self._reserved
        return max(0, math.floor(share * free) - self._evaluations())

    def allows(self, share: float, evaluations: int) -> bool:
        """Whether a round of so many evaluations may begin within a share of the budget.

        Rounds in a row are taken to last as long as the one before.
        """
        now = self.seconds
        last = 0.0 if self._asked_at is None else now - self._asked_at
        self._asked_at = now
        room = self.room(share)
        enough = room is None or evaluations <= room
        return enough and (self.budget.minutes is None or now + last <= self._time(share))

    def pause(self) -> None:
        """Between series of rounds: what happens in between says nothing about how long a round lasts."""
        self._asked_at = None

    def fraction(self, share: float) -> float:
        """How much of a share of the budget is gone, from 0 to 1."""
        gone = 0.0
        if self.budget.evaluations is not None:
            free = share * (self.budget.evaluations - self._reserved)
            gone = self._evaluations() / free if free else 1.0
        if self.budget.minutes is not None:
            time_ = self._time(share)
            gone = max(gone, self.seconds / time_ if time_ else 1.0)
        return min(1.0, gone)

    def rounds(self, share: float, size: int, planned: int) -> int:
        """Rounds of `size` stacks at most, within a share of the budget; `planned` where there is no limit."""
        if not self.budget.stated:
            return planned
        if self.budget.evaluations is None:
            return sys.maxsize
        return PATIENCE * math.ceil(share * (self.budget.evaluations - self._reserved) / size)

    def _time(self, share: float) -> float:
        assert self.budget.minutes is not None
        return 60 * self.budget.minutes * (1 - self.budget.report) * share
