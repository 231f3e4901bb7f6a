"""The benchmark: the objectives' tasks on their splits, ready to measure recipes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hm3.evaluation.store import EvaluationStore
from hm3.evaluation.tasks import Measures, Response, TaskItems
from hm3.evaluation.tuning import NoTuning, Tuning
from hm3.evaluation.workers import Scorer
from hm3.recipe import Recipe, digest_of
from hm3.seams import NONE, NoSeams, Seams

Harness = Callable[[Recipe, list[Any]], list[Response]]  # a recipe's answers to requests that aren't rows


@dataclass(frozen=True, slots=True)
class Part:
    """Items that are scored together: one row set of the scorer, a part of a split.

    Attributes:
        items: The tasks' items, in the run's order of tasks.
        row_set: The scorer's row set: the log-likelihood requests of `items`, in order.
        final: Whether it is what reports say. Stacks with seams or conditioned sources are then judged by the weights
            that export writes, with seams and terms in them: rounded to the sources' type, they are not quite what
            the search has seen.
    """

    items: tuple[TaskItems, ...]
    row_set: int
    final: bool = False


class Benchmark:
    """Measures recipes on parts of the benchmark; what the store knows is not run again.

    Args:
        scorer: Answers log-likelihood requests.
        harness: Answers all other requests.
        store: What is known.
        settings: Whatever else decides scores: dtype and the like. Part of every key.
        seams: What the recipes' seams do.
        tuning: What is done about conditioned sources.
    """

    def __init__(
        self,
        scorer: Scorer,
        harness: Harness,
        store: EvaluationStore,
        settings: Sequence[str],
        seams: Seams = NoSeams(),  # noqa: B008 - without state
        tuning: Tuning = NoTuning(),  # noqa: B008 - without state
    ) -> None:
        self.scorer = scorer
        self.fresh = 0  # recipes that were run, not looked up
        self._harness = harness
        self._store = store
        self._settings = list(settings)
        self._seams = seams
        self._tuning = tuning

    def measure(self, recipes: Sequence[Recipe], part: Part, exits: Sequence[Recipe] = ()) -> list[list[Measures]]:
        """For each recipe, then for each early exit, for each task of `part`, every metric's value on each document.

        What is known of a recipe is never taken for an early exit of the same content, nor the other way round: they
        differ by rounding, and what a run sees must not depend on what happens to be stored.

        Args:
            recipes: Whole stacks.
            part: What is asked.
            exits: Stacks that are read as early exits; tasks must be rows only.
        """
        keys = [*(self._keys(each, part) for each in recipes), *(self._keys(each, part, "exit") for each in exits)]
        known = self._store.read([key for row in keys for key in row])
        whole, early = (
            {row: each for row, each in zip(rows, group, strict=True) if not all(key in known for key in row)}
            for rows, group in ((keys[: len(recipes)], recipes), (keys[len(recipes) :], exits))
        )
        if whole or early:
            fresh = self._run(list(whole.values()), list(early.values()), part)
            rows = zip([*whole, *early], fresh, strict=True)
            found = {key: value for row, values in rows for key, value in zip(row, values, strict=True)}
            self._store.write(found)
            known.update(found)
            self.fresh += len(whole)
        return [[known[key] for key in row] for row in keys]

    def knows(self, recipe: Recipe, part: Part) -> bool:
        """Whether the store has the measures of a recipe on a part."""
        keys = self._keys(recipe, part)
        return len(self._store.read(keys)) == len(set(keys))

    def pace(self, recipe: Recipe, part: Part) -> float:
        """Seconds that a part takes with one recipe alone; nothing is stored."""
        began = time.monotonic()
        self._run([recipe], [], part)
        return time.monotonic() - began

    def _keys(self, recipe: Recipe, part: Part, *kind: str) -> tuple[str, ...]:
        """One key for each task of a part."""
        if self._tuning.tunes(recipe) and not part.final:
            kind = (*kind, "low-rank")  # rounded terms in the matrices give other scores
        return tuple(digest_of([*kind, recipe.digest, items.digest, *self._settings]) for items in part.items)

    def _run(self, recipes: Sequence[Recipe], exits: Sequence[Recipe], part: Part) -> list[list[Measures]]:
        """Measures of recipes, then of early exits."""
        whole = [None if part.final and self._differs(recipe) else recipe.content for recipe in recipes]
        stacks, early = [content for content in whole if content], [recipe.content for recipe in exits]
        with self._tuning.known([*recipes, *exits]):
            answers = self.scorer.score(stacks, part.row_set, early, self._seams.of([*stacks, *early]))
            log_likelihoods, greedy = answers.log_likelihood.tolist(), answers.greedy.tolist()
            rows = (list(zip(ll, exact, strict=True)) for ll, exact in zip(log_likelihoods, greedy, strict=True))
            found = [next(rows) if content else None for content in [*whole, *early]]
            return [self._measure(recipe, part, row) for recipe, row in zip([*recipes, *exits], found, strict=True)]

    def _differs(self, recipe: Recipe) -> bool:
        """Whether the weights that export writes are not quite those that rows are scored with."""
        return recipe.seam != NONE or self._tuning.tunes(recipe)

    def _measure(self, recipe: Recipe, part: Part, answers: Sequence[Response] | None) -> list[Measures]:
        """Measures from a recipe's answers to the rows; None for a recipe whose answers a real model must give."""
        measures, start = [], 0
        for items in part.items:
            end = start + len(items.row_instances)
            known = answers[start:end] if answers is not None and items.all_rows else None
            measures.append(_checked(items, self._harness(recipe, items.instances) if known is None else known))
            start = end
        return measures


def _broken(answer: Response) -> bool:
    value = answer[0] if isinstance(answer, tuple) else answer
    return isinstance(value, float) and not math.isfinite(value)


def _checked(items: TaskItems, answers: Sequence[Response]) -> Measures:
    """Measures of a model's answers; all NaN where one answer was, so that no metric can hide it."""
    if not any(_broken(answer) for answer in answers):
        return items.measure(answers)
    return {metric: [math.nan] * len(values) for metric, values in items.measure(items.harmless).items()}
