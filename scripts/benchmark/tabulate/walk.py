"""The stacks as a tree, a branch at a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hm3.errors import ConfigurationError
from hm3.recipe import LayerRef, Recipe, digest_of
from hm3.tabulated import StackTable
from hm3.tabulated.table import as_counts, paths_of
from hm3.workbench import Workbench
from scripts.benchmark.tabulate.site import Site

Path = tuple[int, ...]
Scored = tuple[Path, tuple[float, ...]]
ALIKE = 4  # layers that the paths of a batch begin with: what they share is computed once, and a store stays small


def branches(sources: int, layers: int) -> list[Path]:
    """What the stacks of each branch begin with."""
    return list(itertools.product(range(sources), repeat=layers))


def batches(branch: Path, sources: int, depth: int) -> Iterator[list[Path]]:
    """All paths of 1 to `depth` layers that are in a branch, in the order of a tree.

    What is shorter than a branch belongs to the first branch that goes on from it.
    """
    yield from ([branch[:cut]] for cut in range(1, len(branch)) if not any(branch[cut:]))
    for _, group in itertools.groupby(_onwards(branch, sources, depth), key=lambda path: path[:ALIKE]):
        yield list(group)


def scored(site: Site, branch: Path) -> dict[str, Any]:
    """The scores of all paths in a branch, as a table counts them."""
    began = time.perf_counter()
    with site.bench() as bench:
        groups = batches(branch, len(site.sources), site.depth)
        found = dict(each for paths in groups for each in _judged(bench, site, paths))
        made_from = {"tasks": _tasks(site), "items": bench.screen.digest, "count": site.items}
    counts = as_counts(np.array(list(found.values()))).tolist()
    return {"paths": list(found), "counts": counts, "made_from": made_from, "seconds": time.perf_counter() - began}


def joined(site: Site, parts: Sequence[dict[str, Any]]) -> StackTable:
    """The table of all branches' scores.

    Raises:
        ConfigurationError: The parts were made from different items.
    """
    names, floors = zip(*((each.name, each.floor) for each in site.objectives), strict=True)
    made_from = tuple(sorted(parts[0]["made_from"].items()))
    if any(part["made_from"] != parts[0]["made_from"] for part in parts):
        raise ConfigurationError("tabulate: parts made from the same items, got others: remove the .part file")
    counts = np.zeros((paths_of(len(site.sources), site.depth), len(names)), dtype=np.uint16)
    filled = np.zeros(len(counts), dtype=bool)
    table = StackTable(site.sources, site.depth, names, floors, made_from, counts)
    for part in parts:
        for path, row in zip(part["paths"], part["counts"], strict=True):
            at = int(table.rows(np.array([path]))[0])
            counts[at], filled[at] = row, True
    assert filled.all()
    return table


def recipe_of(site: Site, path: Path) -> Recipe:
    """The stack of a path, between the hosts of its ends."""
    names = [source.name for source in site.sources]
    refs = [LayerRef(names[number], layer) for layer, number in enumerate(path)]
    known = {source.name: source for source in site.sources}
    return Recipe.build(refs, refs[0].source, refs[-1].source, known)


def _onwards(path: Path, sources: int, depth: int) -> Iterator[Path]:
    """A path, then all that go on from it."""
    yield path
    if len(path) < depth:
        for number in range(sources):
            yield from _onwards((*path, number), sources, depth)


def _judged(bench: Workbench, site: Site, paths: Sequence[Path]) -> Iterator[Scored]:
    """Whole stacks are judged as such, all others as early exits."""
    whole, early = ([path for path in paths if (len(path) == site.depth) is ends] for ends in (True, False))
    scores = bench.screen.together(*([recipe_of(site, path) for path in group] for group in (whole, early)))
    for path, score in zip([*whole, *early], itertools.chain(*scores), strict=True):
        yield path, score.values


def _tasks(site: Site) -> str:
    return digest_of([[each.name, each.task, each.metric] for each in site.objectives])
