"""Mean and worst regrets over unseen preferences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.benchmark.interval import interval, shown
from scripts.benchmark.report import Report
from scripts.benchmark.search.methods import Method
from scripts.benchmark.sheet import Sheet

OURS = "hm3"
KINDS = {
    "searched": "the archive of its search",
    "proposed": "and sixteen proposals for the preference",
    "all": "and the proposals for all preferences",
}
Parts = Sequence[Mapping[str, Any]]


def outcome(parts: Parts, methods: Mapping[str, Method], table: str) -> Report:
    """Put the trials' results together."""
    keys = list(dict.fromkeys(part["key"] for part in parts))
    found = {key: _regrets([part for part in parts if part["key"] == key]) for key in keys}
    rivals = {key: each["searched"] for key, each in found.items() if key != OURS}
    best = min(rivals, key=lambda key: rivals[key]["mean"][0])
    summary = {
        "table": table,
        "seeds": len({part["seed"] for part in parts}),
        "ours": found[OURS],
        "best_rival": {"method": best, **rivals[best]},
    }
    sheet = _sheet(parts, found, methods, table)
    return Report(summary, {"methods": found, "tables": [sheet.json()]}, [sheet.rich()])


def _regrets(parts: Parts) -> dict[str, Any]:
    """Over seeds: the mean over preferences, and the worst preference's."""
    return {
        kind: {
            "mean": interval([sum(part["regrets"][kind]) / len(part["regrets"][kind]) for part in parts]),
            "worst": interval([max(part["regrets"][kind]) for part in parts]),
            "worst_of_all": max(max(part["regrets"][kind]) for part in parts),
        }
        for kind in parts[0]["regrets"]
    }


def _sheet(parts: Parts, found: Mapping[str, Any], methods: Mapping[str, Method], table: str) -> Sheet:
    columns = ("method, and what it looks in", "evaluations", "mean regret", "worst preference", "worst of all seeds")
    unseen = len(parts[0]["regrets"]["searched"])
    return Sheet(
        f"table {table}: regret under {unseen} unseen preferences", columns, list(_rows(parts, found, methods))
    )


def _rows(parts: Parts, found: Mapping[str, Any], methods: Mapping[str, Method]) -> list[list[str]]:
    rows = []
    for key, kinds in found.items():
        budget = next(part["budget"] for part in parts if part["key"] == key)
        for kind, each in kinds.items():
            cells = [shown(each[name], 5) for name in ("mean", "worst")]
            rows.append([f"{methods[key].title}: {KINDS[kind]}", f"{budget:,}", *cells, f"{each['worst_of_all']:.5f}"])
    return rows
