"""Fronts against the front of all runs together."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import moocore
import numpy as np

from hm3.archive import below_nadir, hypervolume
from hm3.objectives import Array
from scripts.benchmark.interval import interval, shown
from scripts.benchmark.main_job import SPLITS, Split
from scripts.benchmark.report import Report
from scripts.benchmark.sheet import Sheet
from scripts.benchmark.space.runs import AGENTS, Limit

Parts = Sequence[Mapping[str, Any]]


def outcome(parts: Parts, agents: Sequence[str], limits: Sequence[Limit]) -> Report:
    """Put the runs together."""
    rods = {split: _rods(parts, split) for split in SPLITS}
    found = {
        str(limit): {
            agent: _figures([part for part in parts if part["agent"] == agent and part["limit"] == str(limit)], rods)
            for agent in agents
        }
        for limit in limits
    }
    shares = {limit: {agent: each["test"]["nadir"] for agent, each in of.items()} for limit, of in found.items()}
    summary = {"seeds": len({part["seed"] for part in parts}), **shares}
    sheets = [_sheet(of, limit) for limit, of in found.items()]
    details = {"agents": found, "tables": [sheet.json() for sheet in sheets]}
    return Report(summary, details, [sheet.rich() for sheet in sheets])


def _rods(parts: Parts, split: Split) -> dict[str, tuple[Array, float]]:
    """Reference point and hypervolume of all fronts together, from zero and from below their nadir."""
    union = np.vstack([part["fronts"][split] for part in parts])
    best = _non_dominated(union)
    references = {"nadir": below_nadir(best), "zero": np.zeros(best.shape[1])}
    return {rod: (reference, hypervolume(best, reference)) for rod, reference in references.items()}


def _figures(parts: Parts, rods: Mapping[Split, Mapping[str, tuple[Array, float]]]) -> dict[str, Any]:
    shares: dict[str, Any] = {
        split: {
            rod: interval([hypervolume(part["fronts"][split], reference) / whole for part in parts])
            for rod, (reference, whole) in of.items()
        }
        for split, of in rods.items()
    }
    spent = {name: statistics.fmean(part[name] for part in parts) for name in ("evaluations", "seconds")}
    return {**shares, **spent, "seeds": len(parts)}


def _non_dominated(values: Array) -> Array:
    kept: Array = values[moocore.is_nondominated(values, maximise=True)]
    return kept


def _sheet(found: Mapping[str, Any], limit: str) -> Sheet:
    columns = (
        "main job",
        "from below the nadir, test",
        "the same, search",
        "from zero, test",
        "evaluations",
        "seconds",
    )
    rows = [
        [
            AGENTS[agent][0],
            shown(each["test"]["nadir"]),
            shown(each["search"]["nadir"]),
            shown(each["test"]["zero"]),
            f"{each['evaluations']:.0f}",
            f"{each['seconds']:.0f}",
        ]
        for agent, each in found.items()
    ]
    return Sheet(f"{limit} each: part of the hypervolume of all runs' fronts together", columns, rows)
