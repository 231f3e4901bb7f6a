"""The evaluator that the search sees: recipes to scores, from the measures of some parts of the benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hm3.evaluation.benchmark import Benchmark, Part
from hm3.evaluation.tasks import Measures
from hm3.objectives import Array, Objective, Scores
from hm3.recipe import Recipe


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
    """

    def __init__(
        self, benchmark: Benchmark, objectives: Sequence[Objective], parts: Sequence[Part], *, batch: int = 64
    ) -> None:
        self.objectives = tuple(objectives)
        self.asked: set[str] = set()
        self._benchmark = benchmark
        self._parts = tuple(parts)
        self._batch = batch
        self._place = {items.name: i for i, items in enumerate(parts[0].items)}

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives' names."""
        return tuple(objective.name for objective in self.objectives)

    @property
    def evaluations(self) -> int:
        """Distinct recipes asked for so far, known ones included: the same for the same seed, whatever is stored."""
        return len(self.asked)

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe, in order."""
        return [self._scores(recipe, detail) for recipe, detail in zip(recipes, self.details(recipes), strict=True)]

    def details(self, recipes: Sequence[Recipe]) -> list[list[Measures]]:
        """For each recipe, for each task, every metric's value on each document of all parts."""
        self.asked.update(recipe.digest for recipe in recipes)
        details: list[list[Measures]] = []
        for start in range(0, len(recipes), self._batch):
            batch = recipes[start : start + self._batch]
            by_part = [self._benchmark.measure(batch, part) for part in self._parts]
            details += [_joined(rows) for rows in zip(*by_part, strict=True)]
        return details

    def reports(self, recipes: Sequence[Recipe]) -> list[Report]:
        """Scores with everything that stands beside them, for each recipe."""
        return [self._report(recipe, detail) for recipe, detail in zip(recipes, self.details(recipes), strict=True)]

    def knows(self, recipe: Recipe) -> bool:
        """Whether the store has all that a call with this recipe would need."""
        return all(self._benchmark.knows(recipe, part) for part in self._parts)

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
        worst = tuple(min(0.0, o.floor) if o.task else v for o, v in zip(self.objectives, values, strict=True))
        return Scores(self.names, worst, valid=False)

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
