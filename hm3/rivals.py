"""The rivals: parameter-space merges that a user would try, judged on both splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hm3.evaluation import Report
from hm3.merge_guests import judgeable, remove_leftovers
from hm3.objectives import Scores
from hm3.recipe import MergeSpec, Recipe, Source
from hm3.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Rival:
    """A merge and what it scored.

    Attributes:
        recipe: The merge as a stack of its own layers.
        search: Scores on the search split.
        test: Report on the test split.
    """

    recipe: Recipe
    search: Scores
    test: Report

    @property
    def source(self) -> Source:
        """The merge."""
        return self.recipe.sources[0]


def judged_rivals(bench: Workbench, specs: Sequence[MergeSpec], depth: int) -> Iterator[Rival]:
    """Judge merges one by one, so that one at a time is resident; what the store knows isn't even made.

    Args:
        bench: Judges; it must know the merges' parents.
        specs: The merges.
        depth: Number of layers of each.
    """
    remove_leftovers()
    for spec in specs:
        yield _judged(bench, Recipe.identity(Source.merged(rival_name(spec), spec), depth))


def rival_name(spec: MergeSpec) -> str:
    """Method and weights in percent: ``ties 50/25/25``; with blocks, ``ties 50/25/25, from layer 4 even``."""
    blocks = (f", from layer {block.first} {_shares(block.weights)}" for block in spec.blocks)
    return f"{spec.method} {_shares(spec.weights)}" + "".join(blocks)


def _shares(weights: Sequence[float]) -> str:
    return "even" if len(set(weights)) == 1 else "/".join(f"{100 * weight:.0f}" for weight in weights)


def _judged(bench: Workbench, recipe: Recipe) -> Rival:
    with judgeable(bench, recipe, (bench.search, bench.test)):
        (search,), (test,) = bench.search([recipe]), bench.test.reports([recipe])
    return Rival(recipe, search, test)
