"""A trial: one method with one seed on one table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from agents import Searcher
from hm3.offline import judge
from hm3.searchers import Remembers
from scripts.benchmark.search.credit import Credit
from scripts.benchmark.search.methods import Method
from scripts.benchmark.search.worlds import World, world

REPEATS = 20  # a method that asks for as many times its budget without using it up has converged
ENOUGH = 400  # different stacks, after which a method that has found everything may stop
FOUND = 0.99  # of the true volume, from both references


@dataclass(frozen=True)
class Trial:
    """What is asked of a worker process.

    Attributes:
        key: What the method is called.
        method: It.
        table: ``a`` or ``b``.
        seed: Of the method.
        budget: Different stacks.
    """

    key: str
    method: Method
    table: str
    seed: int
    budget: int

    @property
    def name(self) -> str:
        """What the part of the result is called."""
        return f"{self.key} {self.seed}"

    def result(self) -> dict[str, Any]:
        """Search: how the front grew, and what it took."""
        torch.set_num_threads(1)
        place, began = world(self.table), time.perf_counter()
        credit = searched(place, self.method.searcher(place, self.seed), self.budget, self.method.batch)
        seconds = time.perf_counter() - began
        counts = {
            "budget": self.budget,
            "evaluations": len(credit),
            "asked": credit.asked,
            "seconds": round(seconds, 2),
        }
        return {"key": self.key, "seed": self.seed, **counts, "steps": credit.steps}


def searched(
    place: World,
    searcher: Searcher,
    budget: int,
    batch: int,
    *,
    enough: int | None = ENOUGH,
    credit: Credit | None = None,
) -> Credit:
    """Let a searcher use its budget; everybody knows the sources at the start, and pays for them.

    Args:
        place: Where.
        searcher: Who.
        budget: Different stacks.
        batch: Stacks that are asked for at once.
        enough: Different stacks after which a search that has found everything stops; None: it goes on.
        credit: Stacks that had been judged before.
    """
    credit = Credit(place) if credit is None else credit
    _begin(place, searcher, credit)
    while len(credit) < budget and credit.asked < REPEATS * budget and not _over(credit, enough):
        recipes = searcher.ask(batch)
        if not recipes:
            break
        credit.take(recipes, judge(searcher, place.evaluator, recipes))
    return credit


def _begin(place: World, searcher: Searcher, credit: Credit) -> None:
    recipes = place.space.pool.identities()
    scores = place.evaluator(recipes)
    credit.take(recipes, scores)
    note = searcher.remember if isinstance(searcher, Remembers) else searcher.tell
    note(recipes, scores)


def _over(credit: Credit, enough: int | None) -> bool:
    return enough is not None and len(credit) >= enough and min(credit.shares.values()) >= FOUND
