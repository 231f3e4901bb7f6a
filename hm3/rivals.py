"""The rivals: parameter-space merges that a user would try, judged on both splits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from hm3.checkpoints import Checkpoint, scratch_folder
from hm3.evaluation import Report
from hm3.objectives import Scores
from hm3.parameter import merge
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
    """Judge merges one by one, so that one at a time is resident; what the store knows isn't even built.

    Args:
        bench: Judges; it must know the merges' parents.
        specs: The merges.
        depth: Number of layers of each.
    """
    paths = {checkpoint.name: checkpoint.path for checkpoint in bench.checkpoints.values()}
    resident = {checkpoint.source.digest for checkpoint in bench.checkpoints.values()}
    for spec in specs:
        source = Source.merged(rival_name(spec), spec)
        recipe = Recipe.identity(source, depth)
        known = bench.search.knows(recipe) and bench.test.knows(recipe)
        with nullcontext() if known or source.digest in resident else _resident(bench, source, spec, paths):
            yield _judged(bench, recipe)


def rival_name(spec: MergeSpec) -> str:
    """Method and weights in percent: ``ties 50/25/25``."""
    if len(set(spec.weights)) == 1:
        return f"{spec.method} even"
    return f"{spec.method} " + "/".join(f"{100 * weight:.0f}" for weight in spec.weights)


def _judged(bench: Workbench, recipe: Recipe) -> Rival:
    (search,), (test,) = bench.search([recipe]), bench.test.reports([recipe])
    return Rival(recipe, search, test)


@contextmanager
def _resident(bench: Workbench, source: Source, spec: MergeSpec, paths: Mapping[str, Path]) -> Iterator[None]:
    """While the block runs, the merge lies in a temporary folder and the bench knows it."""
    with scratch_folder(Path(tempfile.gettempdir()) / "hm3-rival") as folder:
        path = merge(spec, paths, folder / "model")
        bench.add(Checkpoint.open(source.name, path, merge=spec))
        try:
            yield
        finally:
            bench.drop(source.name)
