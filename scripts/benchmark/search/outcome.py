"""The contest's result: every method's figures, and how far the best is from the best rival."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.benchmark.interval import shown
from scripts.benchmark.report import Report
from scripts.benchmark.search.figures import AREAS, GOALS, curve, figures, share
from scripts.benchmark.search.methods import Method
from scripts.benchmark.search.reached import Parts, Reached, finite
from scripts.benchmark.search.worlds import RODS
from scripts.benchmark.sheet import Sheet

OURS = "hm3"
SOURCES = 4  # with which everybody begins
TITLES = {"nadir": "from below the nadir of the true front", "zero": "from scores of zero"}


def outcome(parts: Parts, methods: Mapping[str, Method], table: str) -> Report:
    """Put the trials' results together."""
    by_method = {key: [part for part in parts if part["key"] == key] for key in methods}
    found = {key: figures(each) for key, each in by_method.items()}
    rivals = {key: by_method[key] for key, method in methods.items() if not method.ours}
    sheets = [
        _sheet(found, methods, rod, share(parts[0], rod, SOURCES), f"table {table}: hypervolume {TITLES[rod]}")
        for rod in RODS
    ]
    ratios = {name: _ratio(by_method[OURS], rivals, goal) for name, goal in GOALS.items()}
    sheets.append(ratio_sheet(ratios, methods, table))
    summary = {
        "table": table,
        "seeds": found[OURS]["seeds"],
        "evaluations": found[OURS]["nadir"]["evaluations"],
        "ratio": ratios,
    }
    details = {
        "methods": {key: {"title": methods[key].title, **each} for key, each in found.items()},
        "curves": {key: {rod: curve(each, rod) for rod in RODS} for key, each in by_method.items()},
        "trials": [{name: part[name] for name in ("key", "seed", "evaluations", "asked")} for part in parts],
        "tables": [sheet.json() for sheet in sheets],
    }
    return Report(summary, details, [sheet.rich() for sheet in sheets])


def _ratio(ours: Parts, rivals: Mapping[str, Parts], goal: float) -> dict[str, Any]:
    """Our expected evaluations over those of the rival that needs fewest, from below the nadir."""
    reached = {key: Reached.of(each, "nadir", goal) for key, each in rivals.items()}
    best = min(reached, key=lambda key: reached[key].expected(range(len(reached[key].hits))))
    if not reached[best].success:
        return {"best_rival": None, "ratio": None}
    return {"best_rival": best, "ratio": finite(Reached.of(ours, "nadir", goal).over(reached[best]))}


def ratio_sheet(ratios: Mapping[str, Any], methods: Mapping[str, Method], table: str) -> Sheet:
    """How much of the best rival's evaluations ours are."""
    rows = [
        [f"to {name}", methods[each["best_rival"]].title, shown(each["ratio"], 2)]
        for name, each in ratios.items()
        if each["best_rival"] is not None
    ]
    columns = ("from below the nadir", "best rival", "HM3's evaluations over the rival's")
    return Sheet(f"table {table}: against the rival that needs the fewest evaluations", columns, rows)


def _sheet(found: Mapping[str, Any], methods: Mapping[str, Method], rod: str, start: float, title: str) -> Sheet:
    heads = [f"evaluations to {name}" for name in GOALS]
    columns = ("method", "budget", *heads, f"mean share, first {AREAS[0]}", "share at the end", "seconds")
    rows = [_row(methods[key].title, each, rod) for key, each in found.items()]
    sources = ["the four sources alone", str(SOURCES), *[""] * (len(GOALS) + 1), f"{start:.4f}", ""]
    return Sheet(title, columns, [sources, *rows])


def _row(title: str, found: Mapping[str, Any], rod: str) -> Sequence[str]:
    of_rod = found[rod]
    times = [expected_time(of_rod["evaluations"][name], of_rod["success"][name]) for name in GOALS]
    first = of_rod["area"].get(str(AREAS[0]))
    ends = [shown(first) if first else "", shown(of_rod["share"]), f"{found['seconds'][0]:.0f}"]
    return [title, f"{found['budget']:,}", *times, *ends]


def expected_time(figure: Sequence[float | None], success: float) -> str:
    """An expected running time; how many seeds got there, if not all did."""
    if figure[0] is None:
        return "never"
    mean, low, high = (f"{value:,.0f}" if value is not None else "∞" for value in figure)
    return f"{mean} [{low}, {high}]" + ("" if math.isclose(success, 1) else f" ({success:.0%})")
