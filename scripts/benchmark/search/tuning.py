"""The same effort for everybody: each rival with other settings than its own, on table a alone.

    python -m scripts.benchmark tuning --out scripts/benchmark/results/tuning_a.json

The line with the fewest expected evaluations to 95 % of the front's volume, from below its nadir, is the contest's;
where none gets there, the one with the largest part of it at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from agents import LocalSearch
from agents.published import ModelMergingRL, PaperHM3
from agents.rivals import CMAES, MOEAD, NSGA2, NSGA3, CategoricalBO, RegularisedEvolution
from scripts.benchmark.interval import shown
from scripts.benchmark.report import Report, Request
from scripts.benchmark.search.figures import share
from scripts.benchmark.search.methods import METHODS, Make
from scripts.benchmark.search.reached import Parts, Reached, finite
from scripts.benchmark.search.trials import Trial
from scripts.benchmark.sheet import Sheet
from scripts.benchmark.side_by_side import side_by_side

Settings = Mapping[str, Any]
GOAL = 0.95
TRIED: Mapping[str, tuple[Make, int, tuple[Settings, ...]]] = {
    "local": (
        LocalSearch,
        2000,
        ({}, {"restart": 0.0}, {"restart": 0.02}, {"restart": 0.3}, {"beta": 1.0}, {"beta": 3.0}),
    ),
    "evolution": (
        RegularisedEvolution,
        2000,
        (
            {},
            {"population": 50, "tournament": 10},
            {"population": 50, "tournament": 25},
            {"population": 25, "tournament": 5},
            {"population": 200, "tournament": 50},
            {"population": 50, "tournament": 10, "beta": 3.0},
        ),
    ),
    "nsga2": (
        NSGA2,
        2000,
        (
            {},
            {"population": 32},
            {"population": 50},
            {"population": 50, "mutation": 0.4},
            {"population": 50, "mutation": 1.0},
            {"population": 50, "crossover": "two_point"},
        ),
    ),
    "nsga3": (
        NSGA3,
        2000,
        (
            {},
            {"divisions": 6},
            {"divisions": 8},
            {"divisions": 16},
            {"divisions": 8, "mutation": 1.0},
            {"divisions": 8, "crossover": "two_point"},
        ),
    ),
    "moead": (
        MOEAD,
        2000,
        (
            {},
            {"divisions": 6, "neighbours": 8},
            {"divisions": 8, "neighbours": 10},
            {"neighbours": 10},
            {"divisions": 8, "mutation": 1.0},
            {"divisions": 8, "crossover": "two_point"},
        ),
    ),
    "cmaes": (
        CMAES,
        2000,
        ({}, {"divisions": 2}, {"divisions": 4}, {"distance": 0.5}, {"distance": 2.0}, {"beta": 3.0}),
    ),
    "bo": (
        CategoricalBO,
        128,
        (
            {},
            {"initial": 8},
            {"initial": 12},
            {"initial": 40},
            {"candidates": 64, "samples": 8, "beam": 3, "shortlist": 12},
            {"rounds": 2},
        ),
    ),
    "rl_merging": (
        partial(ModelMergingRL, evaluations=1000),
        1000,
        (
            {},
            {"divisions": 2},
            {"divisions": 3},
            {"learning_rate": (1e-3, 1e-3)},
            {"learning_rate": (1e-2, 1e-2)},
            {"entropy": 0.05},
        ),
    ),
    "paper_hm3": (
        partial(PaperHM3, evaluations=1000),
        1000,
        (
            {},
            {"divisions": 2},
            {"divisions": 6},
            {"learning_rate": (1e-3, 1e-3)},
            {"learning_rate": (3e-3, 3e-3)},
            {"entropy": 0.01},
        ),
    ),
}
"""Method -> how it is made, its budget here, and six settings; first its own, which are its library's or its text's."""


def run(request: Request) -> Report:
    """Try them all."""
    seeds = range(request.seed, request.seed + (1 if request.quick else 3))
    tried = {"nsga3": TRIED["nsga3"]} if request.quick else TRIED
    parts = side_by_side([trial for key in tried for number in seeds for trial in _trials(key, number)], request)
    found = {key: [_figure(parts, key, settings) for settings in tried[key][2]] for key in tried}
    best = {key: min(each, key=_order)["settings"] for key, each in found.items()}
    sheet = _sheet(found)
    return Report({"seeds": len(seeds), "best": best}, {"tried": found, "tables": [sheet.json()]}, [sheet.rich()])


def _trials(key: str, seed: int) -> list[Trial]:
    make, budget, tried = TRIED[key]
    return [
        Trial(_called(key, settings), replace(METHODS[key], make=partial(make, **settings)), "a", seed, budget)
        for settings in tried
    ]


def _called(key: str, settings: Settings) -> str:
    stated = ", ".join(f"{name} {value}" for name, value in settings.items())
    return f"{key}: {stated or 'own'}"


def _figure(parts: Parts, key: str, settings: Settings) -> dict[str, Any]:
    name = _called(key, settings)
    own = [part for part in parts if part["key"] == name]
    reached = Reached.of(own, "nadir", GOAL)
    ends = [share(part, "nadir", part["budget"]) for part in own]
    return {
        "name": name,
        "settings": dict(settings),
        "evaluations": finite(reached.time),
        "share": round(sum(ends) / len(ends), 4),
    }


def _order(found: Mapping[str, Any]) -> tuple[float, float]:
    time = found["evaluations"][0]
    return (float("inf") if time is None else time, -found["share"])


def _sheet(found: Mapping[str, list[dict[str, Any]]]) -> Sheet:
    rows = [
        [each["name"], _time(each["evaluations"]), f"{each['share']:.4f}"] for group in found.values() for each in group
    ]
    return Sheet("settings tried on table a", ("settings", f"evaluations to {GOAL:.0%}", "share at the end"), rows)


def _time(figure: list[float | None]) -> str:
    known = [value for value in figure if value is not None]
    return shown(known, 0) if len(known) == len(figure) else "never, for some draws" if known else "never"
