"""What a method's trials come to."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from scripts.benchmark.interval import interval
from scripts.benchmark.search.reached import Part, Parts, Reached, finite
from scripts.benchmark.search.worlds import RODS

GOALS = {"90%": 0.9, "95%": 0.95, "99%": 0.99}
AREAS = (200, 400)  # evaluations up to which the area under the curve is taken
GRID = tuple(sorted({round(4 * 10 ** (number / 16)) for number in range(47)}))  # 4 to 3,000


def figures(parts: Parts) -> dict[str, Any]:
    """All of one method's figures, by rod."""
    return {
        "seeds": len(parts),
        "budget": parts[0]["budget"],
        **{rod: _of_rod(parts, rod) for rod in RODS},
        "seconds": interval([part["seconds"] for part in parts]),
    }


def share(part: Part, rod: str, evaluations: int) -> float:
    """The part of the true volume found after so many stacks."""
    steps = part["steps"]
    number = bisect_right([step[0] for step in steps], evaluations)
    return float(steps[number - 1][1 + RODS.index(rod)]) if number else 0.0


def area(part: Part, rod: str, evaluations: int) -> float:
    """The mean share over the first so many stacks."""
    return sum(share(part, rod, number) for number in range(1, evaluations + 1)) / evaluations


def curve(parts: Parts, rod: str) -> list[list[float]]:
    """Mean share and its interval after each number of `GRID`, up to the budget."""
    numbers = [number for number in GRID if number <= parts[0]["budget"]]
    return [[number, *interval([share(part, rod, number) for part in parts])] for number in numbers]


def _of_rod(parts: Parts, rod: str) -> dict[str, Any]:
    reached = {name: Reached.of(parts, rod, goal) for name, goal in GOALS.items()}
    areas = [number for number in AREAS if number <= parts[0]["budget"]]
    return {
        "evaluations": {name: finite(each.time) for name, each in reached.items()},
        "success": {name: each.success for name, each in reached.items()},
        "area": {str(number): interval([area(part, rod, number) for part in parts]) for number in areas},
        "share": interval([share(part, rod, part["budget"]) for part in parts]),
    }
