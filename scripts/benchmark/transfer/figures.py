"""Stacks that are still to be judged after an addition, as a share of those that training anew takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.benchmark.interval import shown
from scripts.benchmark.report import Report
from scripts.benchmark.search.figures import GOALS
from scripts.benchmark.search.outcome import expected_time
from scripts.benchmark.search.reached import Parts, Reached, finite
from scripts.benchmark.sheet import Sheet
from scripts.benchmark.transfer.trials import WAYS
from scripts.benchmark.transfer.worlds import ADDED

ASKED = ("95%", "99%")


def outcome(parts: Parts, table: str) -> Report:
    """Put the trials' results together."""
    found = {
        added: {way: _figures(_of(parts, added, way), _of(parts, added, "anew")) for way in WAYS} for added in ADDED
    }
    shares = {added: {goal: ways["both"][goal]["share"] for goal in ASKED} for added, ways in found.items()}
    summary = {"table": table, "seeds": len({part["seed"] for part in parts}), **shares}
    sheets = [_sheet(ways, f"table {table}, one more {added}") for added, ways in found.items()]
    details = {"added": found, "tables": [sheet.json() for sheet in sheets]}
    return Report(summary, details, [sheet.rich() for sheet in sheets])


def _of(parts: Parts, added: str, way: str) -> Parts:
    return [part for part in parts if part["added"] == added and part["way"] == way]


def _figures(parts: Parts, anew: Parts) -> dict[str, Any]:
    found = {}
    for goal in ASKED:
        reached, against = (Reached.of(each, "nadir", GOALS[goal]) for each in (parts, anew))
        found[goal] = {
            "evaluations": finite(reached.time),
            "success": reached.success,
            "share": finite(reached.over(against)),
        }
    return found


def _sheet(ways: Mapping[str, Any], title: str) -> Sheet:
    heads = [head for goal in ASKED for head in (f"evaluations to {goal}", "share of anew")]
    rows = [[WAYS[way][0], *_cells(each)] for way, each in ways.items()]
    return Sheet(f"{title}: hypervolume from below the nadir of the true front", ("taken over", *heads), rows)


def _cells(found: Mapping[str, Any]) -> Sequence[str]:
    cells = []
    for each in found.values():
        share = each["share"]
        cells += [expected_time(each["evaluations"], each["success"]), shown(share, 2) if None not in share else ""]
    return cells
