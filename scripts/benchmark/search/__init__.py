"""Every method against every other on a table whose answers are known.

    python -m scripts.benchmark search --table a --out scripts/benchmark/results/search_a.json
    python -m scripts.benchmark search --table b --out scripts/benchmark/results/search_b.json

Everybody begins with the four sources, has the same space and seams, is asked for stacks in batches, and is credited
with every different stack that it has had judged, in order, training included; repeats cost nothing. A budget counts
different stacks. Settings were chosen on table a alone (`tuning`); table b, of another zoo, is the confirmation.
"""

from __future__ import annotations

from scripts.benchmark.report import Report, Request
from scripts.benchmark.search.methods import METHODS
from scripts.benchmark.search.outcome import outcome
from scripts.benchmark.search.plans import QUICK, WHOLE
from scripts.benchmark.side_by_side import side_by_side


def run(request: Request) -> Report:
    """Let all methods search."""
    plan = QUICK if request.quick else WHOLE
    methods = {key: METHODS[key] for key in plan.methods}
    parts = side_by_side(plan.trials(methods, request.table, request.seed), request)
    return outcome(parts, methods, request.table)
