"""What the parameter level is worth: hypervolume on the test split at an equal number of real evaluations.

    python -m scripts.benchmark parameter --out parameter.json
    python -m scripts.benchmark parameter --size 0.5B

A method is credited with everything that it evaluates: its front is that of the sources and all merges it has judged
on the search split, and its hypervolume that front's on the test split, task objectives only, in units in which 1 is
the best given source there. Half of the search items are kept for what is trained on texts and judge nothing. Of a
front of more than 16 models those that make it largest on the search split are tested. Then the main job stacks
layers on top of each parameter level, within an equal number of evaluations in all. All of it runs side by side, one
thread each, with an empty store each time; the tables' seconds and memory are a trial's own. ``--size`` measures
instead what a candidate costs on random weights.
"""

from __future__ import annotations

from scripts.benchmark.parameter.cost import cost
from scripts.benchmark.parameter.figures import report
from scripts.benchmark.parameter.plans import QUICK, WHOLE
from scripts.benchmark.report import Report, Request
from scripts.benchmark.side_by_side import side_by_side


def run(request: Request) -> Report:
    """Measure the methods, or what a candidate of a size costs."""
    if request.size is not None:
        return cost(request)
    plan = QUICK if request.quick else WHOLE
    parts = side_by_side([*plan.trials(request.seed), *plan.runs(request.seed)], request)
    return report(parts, plan)
