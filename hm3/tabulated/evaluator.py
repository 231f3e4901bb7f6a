"""An evaluator that looks scores up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.pool import Pool
from envs.rules import FOLLOW, PathRules
from envs.space import StackSpace
from hm3.errors import ConfigurationError
from hm3.exits import prefix
from hm3.objectives import Normaliser, Scores
from hm3.recipe import Recipe
from hm3.tabulated.table import StackTable


def table_space(table: StackTable) -> StackSpace:
    """The stacks that are in a table, as the environment knows them."""
    depth = table.depth
    rules = PathRules(min_depth=depth, max_depth=depth, max_repeats=1, reach=0, host=FOLLOW)
    return StackSpace(Pool(table.sources, (depth,) * len(table.sources)), rules)


class TabulatedEvaluator:
    """Judges the stacks of a table, whole or unfinished.

    Args:
        table: The scores.
    """

    def __init__(self, table: StackTable) -> None:
        self._table = table
        self._numbers = {source.digest: number for number, source in enumerate(table.sources)}
        self._known: dict[str, Scores] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives."""
        return self._table.names

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe, in order.

        Raises:
            ConfigurationError: One is not in the table.
        """
        return [self._scores(recipe) for recipe in recipes]

    def early(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """What unfinished stacks score after their last layer."""
        return self(recipes)

    def prefixes(self, recipes: Sequence[Recipe]) -> list[list[Scores]]:
        """For each recipe the scores after 1, 2, … of its layers, each between the hosts of its own ends."""
        return [self([_cut(recipe, length) for length in range(1, recipe.depth + 1)]) for recipe in recipes]

    def normaliser(self) -> Normaliser:
        """The one whose 1 is the best source."""
        own = np.repeat(np.arange(len(self._table.sources))[:, None], self._table.depth, axis=1)
        scores = [Scores(self.names, tuple(row)) for row in self._table.scores[self._table.rows(own)].tolist()]
        return Normaliser.fit(self.names, self._table.floors, scores)

    def _scores(self, recipe: Recipe) -> Scores:
        if recipe.digest not in self._known:
            row = self._table.rows(np.array([self._path(recipe)]))[0]
            self._known[recipe.digest] = Scores(self.names, tuple(self._table.scores[row].tolist()))
        return self._known[recipe.digest]

    def _path(self, recipe: Recipe) -> list[int]:
        """The numbers of the sources of a recipe's layers."""
        digests = {source.name: source.digest for source in recipe.sources}
        path = [self._numbers.get(digests[ref.source], -1) for ref in recipe.path]
        hosts = (recipe.path[0].source, recipe.path[-1].source)
        in_order = recipe.depth <= self._table.depth and all(ref.layer == i for i, ref in enumerate(recipe.path))
        if -1 in path or not in_order or hosts != (recipe.embedding_host, recipe.head_host):
            rule = "same-index stacks of its own sources between the hosts of their ends"
            raise ConfigurationError(f"table: {rule}, got {recipe.digest[:8]}")
        return path


def _cut(recipe: Recipe, length: int) -> Recipe:
    """What a stack begins with, under the head of its own last layer, as the table has it."""
    cut = prefix(recipe, length)
    known = {source.name: source for source in recipe.sources}
    return Recipe.build(cut.path, cut.path[0].source, cut.path[-1].source, known, recipe.seam)
