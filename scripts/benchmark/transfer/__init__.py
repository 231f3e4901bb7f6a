"""What training is worth when a source or an objective is added: stacks that are still to be judged, against anew.

    python -m scripts.benchmark transfer --table b --out scripts/benchmark/results/transfer_b.json

HM3 is trained without the table's last source, or without its last objective. Then that is added, and what was learnt
is taken over: networks and judged stacks, or one of the two. Counted are the stacks judged from then on; those that
were known before cost nothing and count towards the front where all their objectives are known.
"""

from __future__ import annotations

from scripts.benchmark.report import Report, Request
from scripts.benchmark.side_by_side import side_by_side
from scripts.benchmark.transfer.figures import outcome
from scripts.benchmark.transfer.trials import WAYS, Trial
from scripts.benchmark.transfer.worlds import ADDED


def run(request: Request) -> Report:
    """Train, add, and go on."""
    seeds, training, budget = (1, 24, 24) if request.quick else (10, 200, 400)
    trials = [
        Trial(added, way, request.table, request.seed + number, training, budget)
        for added in ADDED
        for way in WAYS
        for number in range(seeds)
    ]
    return outcome(side_by_side(trials, request), request.table)
