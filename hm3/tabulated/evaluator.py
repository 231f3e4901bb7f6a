"""An evaluator that looks scores up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.pool import Pool
from envs.rules import FOLLOW, PathRules
from envs.space import StackSpace
from hm3.errors import ConfigurationError
from hm3.objectives import Normaliser, Scores
from hm3.recipe import Recipe
from hm3.tabulated.table import StackTable

Path = tuple[int, ...]


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
        self._known: dict[Path, Scores] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives."""
        return self._table.names

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe, in order.

        Raises:
            ConfigurationError: One is not in the table.
        """
        return [self._scores(self._path(recipe)) for recipe in recipes]

    def early(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """What unfinished stacks score after their last layer."""
        return self(recipes)

    def prefixes(self, recipes: Sequence[Recipe]) -> list[list[Scores]]:
        """For each recipe the scores after 1, 2, … of its layers, each between the hosts of its own ends."""
        paths = [self._path(recipe) for recipe in recipes]
        return [[self._scores(path[:length]) for length in range(1, len(path) + 1)] for path in paths]

    def normaliser(self) -> Normaliser:
        """The one whose 1 is the best source."""
        own = np.repeat(np.arange(len(self._table.sources))[:, None], self._table.depth, axis=1)
        scores = [Scores(self.names, tuple(row)) for row in self._table.at(own).tolist()]
        return Normaliser.fit(self.names, self._table.floors, scores)

    def _scores(self, path: Path) -> Scores:
        if path not in self._known:
            self._known[path] = Scores(self.names, tuple(self._table.at(np.array([path]))[0].tolist()))
        return self._known[path]

    def _path(self, recipe: Recipe) -> Path:
        """The numbers of the sources of a recipe's layers."""
        digests = {source.name: source.digest for source in recipe.sources}
        path = tuple(self._numbers.get(digests[ref.source], -1) for ref in recipe.path)
        hosts = (recipe.path[0].source, recipe.path[-1].source)
        in_order = recipe.depth <= self._table.depth and all(ref.layer == i for i, ref in enumerate(recipe.path))
        follows = hosts == (recipe.embedding_host, recipe.head_host) and recipe.seam == "none"
        if -1 in path or not in_order or not follows:
            rule = "same-index stacks of its own sources between the hosts of their ends, seams left alone"
            raise ConfigurationError(f"table: {rule}, got {' '.join(map(str, recipe.path))} ({recipe.digest[:8]})")
        return path
