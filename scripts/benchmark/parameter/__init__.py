"""What the parameter level is worth: hypervolume on the test split at an equal number of real evaluations.

    python -m scripts.benchmark parameter --out parameter.json
    python -m scripts.benchmark parameter --size 0.5B

A method is credited with everything that it evaluates: its front is that of the sources and all merges it has judged on
the search split, and its hypervolume that front's on the test split, task objectives only, in units in which 1 is the
best given source. Trials run side by side, one thread each, every one with an empty store; the table's seconds and
memory are a trial's own. Then the main job stacks layers on top of each parameter level, within an equal number of
evaluations in all. ``--size`` measures instead what a candidate costs on random weights.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from scripts.benchmark.parameter import hierarchy, trials
from scripts.benchmark.parameter.cost import cost
from scripts.benchmark.parameter.figures import report
from scripts.benchmark.parameter.plans import QUICK, WHOLE, Plan
from scripts.benchmark.report import Report, Request
from scripts.benchmark.zoo import cores


def run(request: Request) -> Report:
    """Measure the methods, or what a candidate of a size costs."""
    if request.size is not None:
        return cost(request)
    plan = QUICK if request.quick else WHOLE
    parts = [*_trials(plan, request), *_runs(plan, request)]
    return report(parts, plan)


def _trials(plan: Plan, request: Request) -> list[dict[str, Any]]:
    """Every method with every seed, as many at once as there are cores; what is done is kept."""
    asked = plan.trials(request.seed)
    missing = [trial for trial in asked if trial.name not in request.kept.parts]
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        for trial, result in zip(missing, pool.map(trials.result_of, missing), strict=True):
            request.tell(f"{trial.name}: {result['hypervolume']}")
            request.kept(trial.name, partial(_same, result))
    return [request.kept.parts[trial.name] for trial in asked]


def _runs(plan: Plan, request: Request) -> list[dict[str, Any]]:
    """The main job under every level with every seed, one at a time: it uses all cores."""
    found = []
    for run_ in plan.runs(request.seed):
        found.append(request.kept(run_.name, partial(hierarchy.result_of, run_)))
        request.tell(f"{run_.name}: {found[-1]['hypervolume']}")
    return found


def _same(result: dict[str, Any]) -> dict[str, Any]:
    return result
