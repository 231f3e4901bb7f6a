"""A small world without models: a stand-in for the zoo whose scores follow a formula. For tests and first steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.pool import Pool
from envs.rules import PathRules
from envs.space import Ints, StackSpace
from hm3.exits import prefix
from hm3.objectives import Array, Normaliser, Scores
from hm3.recipe import Recipe, Source, digest_of

OBJECTIVES = ("math", "code", "translation")
BASE_SKILL, STRANGE_SKILL = 0.35, 0.1
SEAM_COST, DRIFT_COST, HOST_COST = 0.02, 0.02, 0.02


def table_pool(depth: int = 8) -> Pool:
    """The zoo's shape: a base and one expert for each objective, of `depth` layers."""
    names = ("base", *OBJECTIVES)
    return Pool(tuple(Source(name, digest_of(f"table:{name}")) for name in names), (depth,) * len(names))


def table_space(depth: int = 8, *, reach: int | None = 2, host: str = "searched") -> StackSpace:
    """Stacks of at least half and at most one and a half times the depth of `table_pool`."""
    rules = PathRules(min_depth=max(1, depth // 2), max_depth=depth * 3 // 2, max_repeats=2, reach=reach, host=host)
    return StackSpace(table_pool(depth), rules)


class TableEvaluator:
    """Scores by formula, deterministic and free: it stands in for the zoo's models and is no measurement of any.

    Each objective needs skill at two heights of the stack. Source 0, the base, knows a little of everything; every
    other source is the expert in one objective (in turn) at the lower height, and only half as good as its neighbour
    at the upper one. So the best stacks mix sources and beat every source at its own objective, and how they mix
    depends on the preference. Seams, jumps, and a host that is not the neighbouring layer's source cost a little.

    Args:
        pool: The sources; the order decides who is expert in what.
        names: The objectives.
    """

    def __init__(self, pool: Pool, names: Sequence[str] = OBJECTIVES) -> None:
        self._pool = pool
        self._names = tuple(names)
        self._index = {name: number for number, name in enumerate(pool.names)}
        self._skill = np.stack([self._skills(number) for number in range(len(pool.sources))])

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives."""
        return self._names

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe, in order; values lie in (0, 1)."""
        return [Scores(self._names, tuple(self._score(recipe).tolist())) for recipe in recipes]

    def early(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """What a stack scores by the formula, it scores as an early exit, too."""
        return self(recipes)

    def prefixes(self, recipes: Sequence[Recipe]) -> list[list[Scores]]:
        """For each recipe the scores after 1, 2, … of its layers."""
        return [self([prefix(recipe, length + 1) for length in range(recipe.depth)]) for recipe in recipes]

    def normaliser(self) -> Normaliser:
        """The normaliser whose 1 is the pool's best source."""
        return Normaliser.fit(self._names, [0.0] * len(self._names), self(self._pool.identities()))

    def _skills(self, source: int) -> Array:
        """(L, K) what each layer of a source is good for."""
        objectives, layers = len(self._names), max(self._pool.depths)
        height = (np.arange(layers)[:, None] + 0.5) / layers
        need = np.cos(np.pi * (2 * height - (np.arange(objectives) + 0.5) / objectives)) ** 4
        own, helped = (np.arange(objectives) == number % objectives for number in (source - 1, source))
        lower = np.where(own, 1.0, STRANGE_SKILL)
        upper = np.where(helped, 1.0, np.where(own, 0.5, STRANGE_SKILL))
        skill: Array = need * np.where(source == 0, BASE_SKILL, np.where(height < 0.5, lower, upper))
        return skill

    def _score(self, recipe: Recipe) -> Array:
        """(K,) the scores of one recipe."""
        sources = np.array([self._index[ref.source] for ref in recipe.path])
        layers = np.array([ref.layer for ref in recipe.path])
        best = np.zeros((max(self._pool.depths), len(self._names)))
        np.maximum.at(best, layers, self._skill[sources, layers])
        score: Array = best.mean(axis=0) * np.exp(-self._damage(recipe, layers))
        return score

    def _damage(self, recipe: Recipe, layers: Ints) -> float:
        drift = np.abs(np.diff(layers, prepend=-1) - 1).sum()
        strangers = (recipe.embedding_host != recipe.path[0].source) + (recipe.head_host != recipe.path[-1].source)
        return float(SEAM_COST * len(recipe.seams) + DRIFT_COST * drift + HOST_COST * strangers)
