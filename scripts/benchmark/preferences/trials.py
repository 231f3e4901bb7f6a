"""A trial: one method with one seed, and what it has to offer for preferences that it never saw."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from envs.preferences import Dirichlet, Holdout
from hm3.objectives import Array, Tchebycheff
from hm3.searchers import Proposer
from scripts.benchmark.search.credit import Credit
from scripts.benchmark.search.methods import Method
from scripts.benchmark.search.trials import searched
from scripts.benchmark.search.worlds import World, world

PROPOSALS = 16  # for each unseen preference
RADIUS = 0.05  # how far training keeps from them
UTILITY = Tchebycheff()


@dataclass(frozen=True)
class Trial:
    """What is asked of a worker process.

    Attributes:
        key: What the method is called.
        method: It.
        table: ``a`` or ``b``.
        seed: Of the method.
        budget: Different stacks of its search.
        unseen: Number of preferences that are kept out.
    """

    key: str
    method: Method
    table: str
    seed: int
    budget: int
    unseen: int

    @property
    def name(self) -> str:
        """What the part of the result is called."""
        return f"{self.key} {self.seed}"

    def result(self) -> dict[str, Any]:
        """Search, then propose if it can: regrets under each preference, and what it took."""
        torch.set_num_threads(1)
        place, began = world(self.table), time.perf_counter()
        unseen = unseen_preferences(self.unseen, len(place.evaluator.names))
        sampler = Holdout(Dirichlet(unseen.shape[1]), tuple(map(tuple, unseen.tolist())), RADIUS)
        searcher = self.method.searcher(place, self.seed, sampler)
        credit = searched(place, searcher, self.budget, self.method.batch, enough=None)
        best = place.truth.best(unseen, UTILITY)
        regrets = {"searched": best - known_utilities(credit, unseen)}
        if isinstance(searcher, Proposer):
            regrets["proposed"] = best - self._proposed(place, searcher, credit, unseen)
            regrets["all"] = best - known_utilities(credit, unseen)
        return {
            "key": self.key,
            "seed": self.seed,
            "budget": self.budget,
            "evaluations": len(credit),
            "seconds": round(time.perf_counter() - began, 2),
            "regrets": {name: np.round(each, 6).tolist() for name, each in regrets.items()},
        }

    def _proposed(self, place: World, searcher: Proposer, credit: Credit, unseen: Array) -> Array:
        """(P,) the best utility of what the search knows and of the proposals for each preference alone."""
        rng, known = np.random.default_rng(self.seed), known_utilities(credit, unseen)
        for number, preference in enumerate(unseen):
            recipes = searcher.propose(preference[None], PROPOSALS, rng=rng)
            scores = place.evaluator(recipes)
            values = place.normaliser([each.values for each in scores])
            known[number] = max(known[number], float(UTILITY(values, preference).max(initial=-np.inf)))
            credit.take(recipes, scores)
        return known


def unseen_preferences(count: int, objectives: int) -> Array:
    """(count, K) always the same, whatever the seed of a trial."""
    drawn: Array = np.random.default_rng(12345).dirichlet(np.ones(objectives), size=count)
    return drawn


def known_utilities(credit: Credit, preferences: Array) -> Array:
    """(P,) the largest utility of all that a method has had judged."""
    values = np.array(list(credit.values.values()))
    best: Array = UTILITY(values[None], preferences[:, None]).max(axis=1)
    return best
