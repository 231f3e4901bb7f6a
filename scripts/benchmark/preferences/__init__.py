"""Preferences that nobody trained for: how far from the best stack of a table a method's answer is.

    python -m scripts.benchmark preferences --table b --out scripts/benchmark/results/preferences_b.json

Fifty preferences are kept out of all training, with a ball around each. HM3 is trained, then proposes at most sixteen
stacks for each of them. A rival searches with as many evaluations as HM3's training and all its proposals together, and
looks the best up in its own archive. Regret is the utility that the best stack of the whole table has beyond the best
stack that is known, in units in which 1 is the best source.
"""

from __future__ import annotations

from scripts.benchmark.preferences.figures import outcome
from scripts.benchmark.preferences.trials import PROPOSALS, Trial
from scripts.benchmark.report import Report, Request
from scripts.benchmark.search.methods import METHODS
from scripts.benchmark.side_by_side import side_by_side

RIVALS = ("natural", "local", "evolution", "nsga2", "nsga3", "moead")
TRAINING = 400  # different stacks


def run(request: Request) -> Report:
    """Train, propose, and compare."""
    seeds, unseen, training = (2, 4, 40) if request.quick else (10, 50, TRAINING)
    total = training + unseen * PROPOSALS
    budgets = {"hm3": training, **dict.fromkeys(RIVALS[:2] if request.quick else RIVALS, total)}
    trials = [
        Trial(key, METHODS[key], request.table, request.seed + number, budget, unseen)
        for key, budget in budgets.items()
        for number in range(seeds)
    ]
    return outcome(side_by_side(trials, request), METHODS, request.table)
