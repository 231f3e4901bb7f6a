"""The table's world with one more source, whose skill follows each episode's preference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from envs import Pool, StackSpace, TableEvaluator, table_space
from hm3.recipe import MergeSpec, Source

NAME = "follower"


def follower(weights):
    """The source for a preference; its weights can be read off it."""
    parents = tuple(Source(name, name) for name in ("x", "y", "z"))
    return Source.merged(NAME, MergeSpec("pareto_merging", None, parents, tuple(map(float, weights))))


class Follower:
    name = NAME

    def __call__(self, weights):
        return follower(weights)


def conditioned_space(depth=4, **rules) -> StackSpace:
    space = table_space(depth, **rules)
    pool = space.pool
    more = Pool((*pool.sources, follower((1 / 3,) * 3)), (*pool.depths, depth), Follower())
    return replace(space, pool=more)


class ConditionedTable(TableEvaluator):
    """A stack gains at each objective what its follower's preference gives to it, so scores tell preferences apart."""

    def _score(self, recipe):
        score = super()._score(recipe)
        for source in recipe.sources:
            if source.name == NAME:
                used = sum(ref.source == NAME for ref in recipe.path) / recipe.depth
                score = score + 0.3 * used * np.array(source.merge.weights)
        return score


def weights_of(recipe):
    """The preference of a recipe's follower; None where it uses none."""
    return next((source.merge.weights for source in recipe.sources if source.name == NAME), None)
