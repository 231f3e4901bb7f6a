"""When a goal was reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.benchmark.interval import Figure, resampled
from scripts.benchmark.search.worlds import RODS

Part = Mapping[str, Any]
Parts = Sequence[Part]


@dataclass(frozen=True)
class Reached:
    """How a method's seeds fared with one goal.

    Attributes:
        hits: Different stacks until each seed reached it; None if it did not.
        spent: Different stacks that each judged for it, at most until it was reached.
    """

    hits: tuple[int | None, ...]
    spent: tuple[int, ...]

    @classmethod
    def of(cls, parts: Parts, rod: str, goal: float) -> Reached:
        """From trials' results, a rod and a share of the true volume."""
        at = 1 + RODS.index(rod)
        hits = tuple(next((step[0] for step in part["steps"] if step[at] >= goal), None) for part in parts)
        return cls(hits, tuple(hit or part["evaluations"] for hit, part in zip(hits, parts, strict=True)))

    @property
    def success(self) -> float:
        """The part of the seeds that got there."""
        return sum(hit is not None for hit in self.hits) / len(self.hits)

    @property
    def time(self) -> Figure:
        """Expected evaluations with restarts (Auger and Hansen, 2005), bootstrapped; inf if none got there."""
        return resampled(len(self.hits), self.expected)

    def over(self, rival: Reached) -> Figure:
        """Our expected evaluations as a share of a rival's with as many seeds, bootstrapped."""
        return resampled(len(self.hits), lambda drawn: _ratio(self.expected(drawn), rival.expected(drawn)))

    def expected(self, drawn: Sequence[int]) -> float:
        """All that some seeds spent, for each success."""
        successes = sum(self.hits[number] is not None for number in drawn)
        return sum(self.spent[number] for number in drawn) / successes if successes else math.inf


def finite(figure: Figure) -> list[float | None]:
    """JSON knows no infinity: None."""
    return [value if math.isfinite(value) else None for value in figure]


def _ratio(ours: float, theirs: float) -> float:
    """Over a rival that never arrives: nothing."""
    return ours / theirs if math.isfinite(theirs) else 0.0
