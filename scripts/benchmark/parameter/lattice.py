"""The models of a trained tensor at evenly spread preferences."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from hm3.lattice import das_dennis
from hm3.levels import ConditionedSource
from hm3.objectives import Array, Candidate
from hm3.parameter.pareto import ParetoTensor
from hm3.recipe import Recipe
from scripts.benchmark.parameter.site import Site


def judged_lattice(site: Site, tensor: ParetoTensor, count: int) -> Sequence[Candidate]:
    """The models at `count` preferences, judged on the search split in the order of `spread`."""
    bench, given = site.session.bench, site.given
    bench.condition(tensor, given.checkpoint_of(tensor.base))
    conditioned = ConditionedSource(tensor, given.experts, tuple(each.name for each in bench.objectives))
    recipes = [Recipe.identity(conditioned(weights), given.depth) for weights in spread(len(bench.objectives), count)]
    return [Candidate(recipe, scores) for recipe, scores in zip(recipes, bench.search(recipes), strict=True)]


def spread(objectives: int, count: int) -> Array:
    """(count, objectives) preferences: of the coarsest lattice that has enough, each next the farthest from all before.

    Any number of the first of them is spread evenly, so that budgets are parts of each other.
    """
    divisions = next(steps for steps in itertools.count(1) if len(das_dennis(objectives, steps)) >= count)
    points = np.asarray(das_dennis(objectives, divisions), dtype=float)
    chosen = [int(np.abs(points - 1 / objectives).sum(axis=1).argmin())]
    while len(chosen) < count:
        distances = np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(axis=1)
        chosen.append(int(distances.argmax()))
    result: Array = points[chosen]
    return result
