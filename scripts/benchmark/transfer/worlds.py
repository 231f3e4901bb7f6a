"""A table's world without its last source, or without its last objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from envs.pool import Pool
from envs.space import StackSpace
from hm3.objectives import Evaluator, Normaliser
from hm3.tabulated import TabulatedEvaluator
from scripts.benchmark.search.worlds import World
from scripts.benchmark.tabulate.tables import kept_table


@dataclass(frozen=True)
class Before:
    """Where the training takes place.

    Attributes:
        space: What could be stacked then.
        evaluator: Judges it.
        normaliser: 1 was the best source.
    """

    space: StackSpace
    evaluator: Evaluator
    normaliser: Normaliser


def without_source(name: str, place: World) -> Before:
    """Table `name` without its last source."""
    pool, table = place.space.pool, kept_table(name)
    space = StackSpace(Pool(pool.sources[:-1], pool.depths[:-1]), place.space.rules)
    scores = place.evaluator(space.pool.identities())
    return Before(space, place.evaluator, Normaliser.fit(table.names, table.floors, scores))


def without_objective(name: str, place: World) -> Before:
    """Table `name` without its last objective."""
    table = kept_table(name)
    fewer = replace(table, names=table.names[:-1], floors=table.floors[:-1], counts=table.counts[:, :-1])
    evaluator = TabulatedEvaluator(fewer)
    return Before(place.space, evaluator, evaluator.normaliser())


ADDED: Mapping[str, Callable[[str, World], Before]] = {"source": without_source, "objective": without_objective}
"""What is added -> the world before."""
