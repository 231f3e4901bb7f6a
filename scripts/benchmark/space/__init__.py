"""The contest where the truth is not known: the main job on the whole space of the zoo, judged on the test split.

    python -m scripts.benchmark space --out scripts/benchmark/results/space.json

Stacks of any order with repeats, of the four sources and their merges. Every searcher has the same number of
evaluations, then the same minutes; HM3 divides them between training and refinement as users get it, a rival has all
of them for itself. A front is compared with that of all runs together.
"""

from __future__ import annotations

from scripts.benchmark.report import Report, Request
from scripts.benchmark.side_by_side import side_by_side
from scripts.benchmark.space.figures import outcome
from scripts.benchmark.space.runs import AGENTS, Limit, Run

WHOLE = (Limit("evaluations", 200), Limit("minutes", 1.25))
QUICK = (Limit("evaluations", 24),)


def run(request: Request) -> Report:
    """Let all agents search, under each limit."""
    limits, seeds = (QUICK, 1) if request.quick else (WHOLE, 5)
    agents = ("random", "surrogate_ppo") if request.quick else tuple(AGENTS)
    runs = [
        Run(agent, request.seed + number, limit, request.quick)
        for limit in limits
        for agent in agents
        for number in range(seeds)
    ]
    return outcome(side_by_side(runs, request), agents, limits)
