"""Means and intervals over seeds, as tables and as the benchmark's last line."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scripts.benchmark.interval import interval, shown
from scripts.benchmark.parameter.hierarchy import LEVELS
from scripts.benchmark.parameter.methods import METHODS
from scripts.benchmark.parameter.plans import Plan
from scripts.benchmark.report import Report
from scripts.benchmark.sheet import Sheet

_MEGABYTE = 1 << 20


def report(parts: Sequence[Mapping[str, Any]], plan: Plan) -> Report:
    """Put the trials' and the runs' results together."""
    trials = [part for part in parts if "method" in part]
    runs = [part for part in parts if "level" in part]
    volumes = {_key(name, budget, plan): interval(values) for (name, budget), values in _by_budget(trials).items()}
    stacked = {
        name: interval([run["hypervolume"]["test"] for run in each]) for name, each in _by(runs, "level").items()
    }
    summary = {
        "hypervolume": {**volumes, **{f"stacks_{name}": figure for name, figure in stacked.items()}},
        "evaluations": plan.budgets[0],
        "evaluations_stacked": plan.stacked,
        "seeds": plan.seeds,
    }
    sheets = [_trial_sheet(trials, plan), *([_run_sheet(runs)] if runs else [])]
    details = {"parts": list(parts), "tables": [sheet.json() for sheet in sheets]}
    return Report(summary, details, [sheet.rich() for sheet in sheets])


def _key(method: str, budget: str, plan: Plan) -> str:
    """A method by its name at the first number of evaluations, with the number at others."""
    return method if budget == str(plan.budgets[0]) else f"{method}_{budget}"


def _by(parts: Iterable[Mapping[str, Any]], key: str) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        groups.setdefault(part[key], []).append(part)
    return groups


def _by_budget(trials: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[float]]:
    """Method and number of evaluations -> the seeds' hypervolumes on the test split."""
    found: dict[tuple[str, str], list[float]] = {}
    for trial in trials:
        for budget, volume in trial["hypervolume"].items():
            found.setdefault((trial["method"], budget), []).append(volume["test"])
    return found


def _trial_sheet(trials: Sequence[Mapping[str, Any]], plan: Plan) -> Sheet:
    columns = ("method", *(f"{budget} evaluations" for budget in plan.budgets), "seconds", "MB")
    by_budget, rows = _by_budget(trials), []
    for name, group in _by(trials, "method").items():
        cells = [_cell(by_budget.get((name, str(budget)), [])) for budget in plan.budgets]
        seconds = statistics.fmean(part["seconds"] for part in group)
        peak = statistics.fmean(part["peak"] for part in group) / _MEGABYTE
        rows.append([METHODS[name].title, *cells, f"{seconds:.0f}", f"{peak:.0f}"])
    return Sheet("one level: hypervolume on the test split [95 %]", columns, rows)


def _run_sheet(runs: Sequence[Mapping[str, Any]]) -> Sheet:
    rows = []
    for name, group in _by(runs, "level").items():
        judged = statistics.fmean(part["judged"] for part in group)
        seconds = statistics.fmean(part["seconds"] for part in group)
        volumes = [part["hypervolume"]["test"] for part in group]
        rows.append([LEVELS[name], f"{judged:.0f}", _cell(volumes), f"{seconds:.0f}"])
    columns = ("main job", "evaluations", "hypervolume", "seconds")
    return Sheet("both levels: hypervolume on the test split [95 %]", columns, rows)


def _cell(values: Sequence[float]) -> str:
    return shown(interval(values)) if values else ""
