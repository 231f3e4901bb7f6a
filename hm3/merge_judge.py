"""Judging merges one after another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hm3.evaluation import Report
from hm3.merge_guests import judgeable, remove_leftovers
from hm3.objectives import Scores
from hm3.parameter import L1Change, l1_change, named_sources
from hm3.recipe import MergeSpec, Recipe, Source, digest_of
from hm3.workbench import Workbench


@dataclass(frozen=True, slots=True)
class JudgedMerge:
    """A merge and what it scored.

    Attributes:
        recipe: The merge as a stack of its own layers.
        scores: On the search split; invalid, too, where a weight is NaN or infinite.
        change: L1 norm of its change from the base; NaN or infinite where a weight is.
        test: Report on the test split, where it was asked for.
    """

    recipe: Recipe
    scores: Scores
    change: float
    test: Report | None = None


def judged_merges(
    bench: Workbench, specs: Sequence[MergeSpec], depth: int, names: Sequence[str], *, test: bool = False
) -> Iterator[JudgedMerge]:
    """Judge merges one by one, so that one at a time is resident; what the store knows isn't made again.

    The store knows score and change of all that were judged: after a kill, only the merge that was being judged then
    is made again.

    Args:
        bench: Judges; it must know the merges' parents.
        specs: The merges.
        depth: Number of layers of each.
        names: What each is called; there may be more names than merges.
        test: Whether the test split is judged too.

    Raises:
        ConfigurationError: A source that a merge is made of isn't among the bench's.
        CheckpointError: It is another than the merge names, or the sources differ in shape.
    """
    remove_leftovers()
    for spec, name in zip(specs, names, strict=False):
        yield _judged(bench, spec, Recipe.identity(Source.merged(name, spec), depth), test=test)


def _judged(bench: Workbench, spec: MergeSpec, recipe: Recipe, *, test: bool) -> JudgedMerge:
    change = L1Change.of(spec, named_sources(spec, bench.checkpoints))
    with judgeable(bench, recipe, (bench.search, bench.test) if test else (bench.search,), change) as made:
        total = _change(bench, spec, change.total if made else None)
        [scores] = bench.search([recipe])
        report = bench.test.reports([recipe])[0] if test else None
    if not math.isfinite(total):
        scores = bench.search.worst(recipe)
        report = report and replace(report, scores=scores)
    return JudgedMerge(recipe, scores, total, report)


def _change(bench: Workbench, spec: MergeSpec, measured: float | None) -> float:
    """The L1 norm of a merge's change, which the store then knows; where only that is missing, it is merged for it."""
    key = digest_of(["l1 change", spec.digest])
    known = bench.store.read([key])
    if key not in known:
        total = l1_change(spec, bench.checkpoints) if measured is None else measured
        known = {key: {"l1": [total]}}
        bench.store.write(known)
    return float(known[key]["l1"][0])
