"""The benchmark: the objectives' tasks on their splits, ready to measure recipes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hm3.evaluation.store import EvaluationStore
from hm3.evaluation.tasks import Measures, Response, TaskItems
from hm3.evaluation.workers import Scorer
from hm3.recipe import Recipe, digest_of

Harness = Callable[[Recipe, list[Any]], list[Response]]  # a recipe's answers to requests that aren't rows


@dataclass(frozen=True, slots=True)
class Part:
    """Items that are scored together: one row set of the scorer, a part of a split.

    Attributes:
        items: The tasks' items, in the run's order of tasks.
        row_set: The scorer's row set: the log-likelihood requests of `items`, in order.
    """

    items: tuple[TaskItems, ...]
    row_set: int


class Benchmark:
    """Measures recipes on parts of the benchmark; what the store knows is not run again.

    Args:
        scorer: Answers log-likelihood requests.
        harness: Answers all other requests.
        store: What is known.
        settings: Whatever else decides scores: dtype and the like. Part of every key.
    """

    def __init__(self, scorer: Scorer, harness: Harness, store: EvaluationStore, settings: Sequence[str]) -> None:
        self.scorer = scorer
        self.fresh = 0  # recipes that were run, not looked up
        self._harness = harness
        self._store = store
        self._settings = list(settings)

    def measure(self, recipes: Sequence[Recipe], part: Part) -> list[list[Measures]]:
        """For each recipe, for each task of `part`, every metric's value on each document."""
        keys = {recipe.digest: [self._key(recipe, items) for items in part.items] for recipe in recipes}
        known = self._store.read([key for row in keys.values() for key in row])
        missing = {recipe.digest: recipe for recipe in recipes if not all(key in known for key in keys[recipe.digest])}
        if missing:
            fresh = self._run(list(missing.values()), part)
            found = {
                key: measures
                for digest, row in zip(missing, fresh, strict=True)
                for key, measures in zip(keys[digest], row, strict=True)
            }
            self._store.write(found)
            known.update(found)
            self.fresh += len(missing)
        return [[known[key] for key in keys[recipe.digest]] for recipe in recipes]

    def knows(self, recipe: Recipe, part: Part) -> bool:
        """Whether the store has the measures of a recipe on a part."""
        keys = [self._key(recipe, items) for items in part.items]
        return len(self._store.read(keys)) == len(set(keys))

    def _key(self, recipe: Recipe, items: TaskItems) -> str:
        return digest_of([recipe.digest, items.digest, *self._settings])

    def _run(self, recipes: Sequence[Recipe], part: Part) -> list[list[Measures]]:
        answers = self.scorer.score([recipe.content for recipe in recipes], part.row_set)
        log_likelihoods, greedy = answers.log_likelihood.tolist(), answers.greedy.tolist()
        return [
            self._measure(recipe, part, list(zip(ll, exact, strict=True)))
            for recipe, ll, exact in zip(recipes, log_likelihoods, greedy, strict=True)
        ]

    def _measure(self, recipe: Recipe, part: Part, answers: list[Response]) -> list[Measures]:
        measures, start = [], 0
        for items in part.items:
            end = start + len(items.row_instances)
            own = answers[start:end] if items.all_rows else self._harness(recipe, items.instances)
            measures.append(_checked(items, own))
            start = end
        return measures


_HARMLESS: dict[str, Response] = {"loglikelihood": (-1e9, False), "loglikelihood_rolling": -1e9}


def _broken(answer: Response) -> bool:
    value = answer[0] if isinstance(answer, tuple) else answer
    return isinstance(value, float) and not math.isfinite(value)


def _checked(items: TaskItems, answers: Sequence[Response]) -> Measures:
    """Measures of a model's answers; all NaN where one answer was, so that no metric can hide it."""
    if not any(_broken(answer) for answer in answers):
        return items.measure(answers)
    harmless = [_HARMLESS.get(request.request_type, "") for request in items.instances]
    return {metric: [math.nan] * len(values) for metric, values in items.measure(harmless).items()}
