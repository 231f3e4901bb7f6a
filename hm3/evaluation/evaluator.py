"""The evaluator that the search sees: recipes to scores, from the measures of some parts of the benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hm3.errors import ConfigurationError
from hm3.evaluation.benchmark import Benchmark, Part
from hm3.evaluation.tasks import Measures
from hm3.exits import prefix
from hm3.objectives import Array, Objective, Scores
from hm3.recipe import Recipe, digest_of
from hm3.seams import NONE


@dataclass(frozen=True, slots=True)
class Report:
    """One model on some parts of the benchmark.

    Attributes:
        scores: What the search would see.
        metrics: Every metric of every task, aggregated as lm-eval does: ``task/metric`` -> score.
        items: For each objective its metric on each document (documents,); None where the score is no mean of them.
    """

    scores: Scores
    metrics: Mapping[str, float]
    items: tuple[Array | None, ...]


class BenchmarkEvaluator:
    """Scores recipes on some parts of the benchmark: the `Evaluator` that the search sees.

    Args:
        benchmark: Measures recipes.
        objectives: What is scored; tasks in the order of the parts' items, costs anywhere.
        parts: The parts whose documents count, together.
        batch: Recipes that are handed on at once; between batches progress is told and the store written.
        seam: What the run's recipes call their seams; a whole source has none, but its prefixes have, at the head.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        objectives: Sequence[Objective],
        parts: Sequence[Part],
        *,
        batch: int = 64,
        seam: str = NONE,
    ) -> None:
        self.objectives = tuple(objectives)
        self.asked: set[str] = set()
        self.asked_early: set[str] = set()
        self._benchmark = benchmark
        self._parts = tuple(parts)
        self._batch, self._seam = batch, seam
        self._place = {items.name: i for i, items in enumerate(parts[0].items)}

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives' names."""
        return tuple(objective.name for objective in self.objectives)

    @property
    def evaluations(self) -> int:
        """Distinct recipes asked for so far, known ones included: the same for the same seed, whatever is stored."""
        return len(self.asked)

    @property
    def exits(self) -> int:
        """Distinct early exits asked for so far, known ones included; they are no evaluations."""
        return len(self.asked_early)

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe, in order."""
        return [scores for batch in self._batches(recipes) for scores in self._judge(batch)]

    def early(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """The early-exit scores of each recipe: its own but for rounding. They are no evaluations.

        Raises:
            ConfigurationError: A task is more than token rows.
        """
        self._check_rows()
        return [scores for batch in self._batches(recipes) for scores in self._judge((), batch)]

    def together(self, recipes: Sequence[Recipe], exits: Sequence[Recipe]) -> tuple[list[Scores], list[Scores]]:
        """Scores of recipes, and early-exit scores of other ones: one batch, in which what they share is computed once.

        Raises:
            ConfigurationError: A task is more than token rows.
        """
        self._check_rows()
        scores = self._judge(recipes, exits)
        return scores[: len(recipes)], scores[len(recipes) :]

    def prefixes(self, recipes: Sequence[Recipe]) -> list[list[Scores]]:
        """For each recipe the scores after 1, 2, … of its layers; the last are its own, to the last bit.

        Raises:
            ConfigurationError: A task is more than token rows.
        """
        self._check_rows()
        return [scores for batch in self._batches(recipes) for scores in self._judge_prefixes(batch)]

    def details(self, recipes: Sequence[Recipe]) -> list[list[Measures]]:
        """For each recipe, for each task, every metric's value on each document of all parts."""
        return [detail for batch in self._batches(recipes) for detail in self._measure(batch)]

    def reports(self, recipes: Sequence[Recipe]) -> list[Report]:
        """Scores with everything that stands beside them, for each recipe."""
        return [self._report(recipe, detail) for recipe, detail in zip(recipes, self.details(recipes), strict=True)]

    def knows(self, recipe: Recipe) -> bool:
        """Whether the store has all that a call with this recipe would need."""
        return all(self._benchmark.knows(recipe, part) for part in self._parts)

    @property
    def digest(self) -> str:
        """Of everything that is asked, and how it is judged."""
        return digest_of([items.digest for part in self._parts for items in part.items])

    def worst(self, recipe: Recipe) -> Scores:
        """What a recipe scores that gives NaN or infinity."""
        depth = -float(recipe.depth)
        values = tuple(min(0.0, each.floor) if each.task else depth for each in self.objectives)
        return Scores(self.names, values, valid=False)

    def pace(self, recipe: Recipe) -> float:
        """About how many seconds a call with one recipe takes that the store doesn't know."""
        return sum(self._benchmark.pace(recipe, part) for part in self._parts)

    def _batches(self, recipes: Sequence[Recipe]) -> list[Sequence[Recipe]]:
        return [recipes[start : start + self._batch] for start in range(0, len(recipes), self._batch)]

    def _measure(self, recipes: Sequence[Recipe], exits: Sequence[Recipe] = ()) -> list[list[Measures]]:
        """Details of recipes, then of early exits."""
        self.asked.update(recipe.digest for recipe in recipes)
        self.asked_early.update(recipe.digest for recipe in exits)
        by_part = [self._benchmark.measure(recipes, part, exits) for part in self._parts]
        return [_joined(rows) for rows in zip(*by_part, strict=True)]

    def _judge(self, recipes: Sequence[Recipe], exits: Sequence[Recipe] = ()) -> list[Scores]:
        """Scores of recipes, then of early exits."""
        details = self._measure(recipes, exits)
        return [self._scores(recipe, detail) for recipe, detail in zip([*recipes, *exits], details, strict=True)]

    def _judge_prefixes(self, recipes: Sequence[Recipe]) -> list[list[Scores]]:
        seamed = [replace(recipe, seam=self._seam) for recipe in recipes]
        shorter = [[prefix(recipe, length) for length in range(1, recipe.depth)] for recipe in seamed]
        exits = {each.digest: each for prefixes in shorter for each in prefixes}
        scores = self._judge(recipes, list(exits.values()))
        own, early = scores[: len(recipes)], dict(zip(exits, scores[len(recipes) :], strict=True))
        return [[*(early[each.digest] for each in cut), last] for cut, last in zip(shorter, own, strict=True)]

    def _check_rows(self) -> None:
        for items in self._parts[0].items:
            if not items.all_rows:
                kinds = {request.request_type for request in items.instances} - {"loglikelihood"}
                raise ConfigurationError(
                    "early exits (agent.credit, env.exits): tasks that only compare given answers,"
                    f" got {items.name}, which asks for {', '.join(sorted(kinds))}"
                )

    def _report(self, recipe: Recipe, detail: Sequence[Measures]) -> Report:
        tasks = self._parts[0].items
        metrics = {
            f"{task.name}/{metric}": task.aggregate(metric, values)
            for task, measures in zip(tasks, detail, strict=True)
            for metric, values in measures.items()
        }
        items = tuple(self._items(objective, recipe, detail) for objective in self.objectives)
        return Report(self._scores(recipe, detail), metrics, items)

    def _items(self, objective: Objective, recipe: Recipe, detail: Sequence[Measures]) -> Array | None:
        if not objective.task:
            return np.array([-float(recipe.depth)])
        place = self._place[objective.task]
        if not self._parts[0].items[place].is_mean(objective.metric):
            return None
        return np.array(detail[place][objective.metric], dtype=float)

    def _scores(self, recipe: Recipe, detail: Sequence[Measures]) -> Scores:
        values = tuple(self._score(objective, recipe, detail) for objective in self.objectives)
        if all(math.isfinite(value) for value in values):
            return Scores(self.names, values)
        return self.worst(recipe)

    def _score(self, objective: Objective, recipe: Recipe, detail: Sequence[Measures]) -> float:
        if not objective.task:
            return -float(recipe.depth)
        place = self._place[objective.task]
        items, measures = self._parts[0].items[place], detail[place]
        items.check_metric(objective.metric, list(measures))
        return items.aggregate(objective.metric, measures[objective.metric])


def _joined(rows: Sequence[Sequence[Measures]]) -> list[Measures]:
    """Measures of several parts as if they were one: document lists in the order of the parts."""
    return [
        {
            metric: [value for measures in parts for value in measures.get(metric, ())]
            for metric in dict.fromkeys(metric for measures in parts for metric in measures)
        }
        for parts in zip(*rows, strict=True)
    ]
