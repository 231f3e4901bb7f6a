"""A trial: one method with one seed, everything that it evaluates, and what its front is worth on the test split."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hm3.archive import hypervolume
from hm3.judged import Judged
from hm3.machine import Items
from hm3.merge_judge import judged_merges
from hm3.objectives import Candidate, Normaliser
from hm3.online import spread
from hm3.parameter.pareto import is_conditioned
from hm3.session import Session
from scripts.benchmark.memory import own_peak, reset_peak
from scripts.benchmark.parameter.methods import METHODS
from scripts.benchmark.parameter.site import Site, opened

FRONT = 16  # models that are tested, at most


@dataclass(frozen=True)
class Trial:
    """What is asked of a worker process.

    Attributes:
        method: A row of `METHODS`.
        seed: Of the method.
        budgets: Numbers of evaluations after which its front is looked at; the last is its budget.
        search_items: Of each task; None for all.
        test_items: Of each task; None for all.
    """

    method: str
    seed: int
    budgets: tuple[int, ...]
    search_items: int | None = None
    test_items: int | None = None

    @property
    def name(self) -> str:
        """What the part of the result is called."""
        return f"{self.method} {self.seed}"

    @property
    def _items(self) -> Items:
        """Half of the search items are kept for training whatever the method is: all are judged on the others."""
        return Items(search=self.search_items, test=self.test_items, training=0.5)

    def result(self) -> dict[str, Any]:
        """Run it: hypervolume on both splits after each number of evaluations, seconds and memory."""
        with opened(self._items, self.seed) as site:
            sources = site.session.sources_on_search()  # reads their weights, too
            reset_peak()
            before, began = own_peak(), time.perf_counter()
            judged = METHODS[self.method].judged(site, self.budgets[-1])
            seconds, peak = time.perf_counter() - began, own_peak() - before
            fronts = {budget: _front(site, sources, judged[:budget]) for budget in self.budgets}
            return {
                **asdict(self),
                "hypervolume": {str(budget): front for budget, front in fronts.items()},
                "evaluations": len(judged),
                "seconds": seconds,
                "peak": peak,
            }


def _front(site: Site, sources: Judged, judged: Sequence[Candidate]) -> dict[str, float]:
    """The front of sources and merges on the search split, and the same models on the test split."""
    found = Judged(sources.normaliser)
    known = [*sources.candidates.values(), *judged]
    found.add([each.recipe for each in known], [each.scores for each in known])
    best = found.archive.best(site.session.preference, site.session.utility, found.normaliser)
    front = spread(found.archive.front, found.normaliser, FRONT, best)
    scores = [_test(site.session, candidate) for candidate in front]
    yardstick = sources.normaliser
    tested = Normaliser.fit(yardstick.names, yardstick.floors, site.session.bench.test(site.session.identities))
    return {"search": found.hypervolume(), "test": hypervolume(tested(scores)), "front": len(scores)}


def _test(session: Session, candidate: Candidate) -> tuple[float, ...]:
    """Raw test scores of one model, merged once more where need be."""
    bench, recipe = session.bench, candidate.recipe
    [source] = recipe.sources
    if source.merge is None or is_conditioned(source) or bench.test.knows(recipe):
        [scores] = bench.test([recipe])
        return scores.values
    [merge] = judged_merges(bench, [source.merge], recipe.depth, [source.name], test=True)
    assert merge.test is not None
    return merge.test.scores.values
