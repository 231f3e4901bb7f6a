"""The stacks as a tree, a branch at a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hm3.objectives import Scores
from hm3.recipe import LayerRef, Recipe, digest_of
from hm3.tabulated import StackTable
from hm3.tabulated.table import as_counts, paths_of
from hm3.workbench import Workbench
from scripts.benchmark.tabulate.site import Site

Path = tuple[int, ...]
Scored = tuple[Path, tuple[float, ...]]
FIRST = 2  # layers that the stacks of a branch have in common
BATCH = 4  # layers that those of a batch have


def branches(sources: int) -> list[Path]:
    """What the branches' stacks begin with; and, at the front, what is shorter: the empty beginning."""
    return [(), *itertools.product(range(sources), repeat=FIRST)]


def scored(site: Site, branch: Path) -> dict[str, Any]:
    """The scores of all paths that go on from a branch, and of all short ones for the empty one, as counts."""
    began = time.perf_counter()
    with site.bench() as bench:
        found = dict(_short(bench, site) if not branch else _long(bench, site, branch))
        made_from = {"tasks": _tasks(site), "items": bench.screen.digest, "count": site.items}
    paths = sorted(found, key=lambda path: (len(path), path))
    counts = as_counts(np.array([found[path] for path in paths])).tolist()
    return {"paths": paths, "counts": counts, "made_from": made_from, "seconds": time.perf_counter() - began}


def joined(site: Site, parts: Sequence[dict[str, Any]]) -> StackTable:
    """The table of all branches' scores."""
    names = tuple(objective.name for objective in site.objectives)
    counts = np.zeros((paths_of(len(site.sources), site.depth), len(names)), dtype=np.uint16)
    filled = np.zeros(len(counts), dtype=bool)
    floors = tuple(objective.floor for objective in site.objectives)
    made_from = tuple(sorted(parts[0]["made_from"].items()))
    table = StackTable(site.sources, site.depth, names, floors, made_from, counts)
    for part in parts:
        assert tuple(sorted(part["made_from"].items())) == made_from
        for path, row in zip(part["paths"], part["counts"], strict=True):
            at = int(table.rows(np.array([path]))[0])
            counts[at], filled[at] = row, True
    assert filled.all()
    return table


def _short(bench: Workbench, site: Site) -> Iterator[Scored]:
    """Paths that no branch has: those shorter than a branch."""
    lengths = range(1, FIRST)
    paths = [path for length in lengths for path in itertools.product(range(len(site.sources)), repeat=length)]
    return _judged(bench, site, paths)


def _long(bench: Workbench, site: Site, branch: Path) -> Iterator[Scored]:
    """A branch's own path and all that go on from it, a batch after the other, so that caches hold what they share."""
    numbers = range(len(site.sources))
    yield from _judged(bench, site, [branch])
    for middle in itertools.product(numbers, repeat=BATCH - FIRST):
        for cut in range(1, BATCH - FIRST + 1):
            if not any(middle[cut:]):  # the first batch with this beginning
                yield from _judged(bench, site, [branch + middle[:cut]])
        ends = (itertools.product(numbers, repeat=length) for length in range(1, site.depth - BATCH + 1))
        yield from _judged(bench, site, sorted(branch + middle + end for ends_ in ends for end in ends_))


def _judged(bench: Workbench, site: Site, paths: Sequence[Path]) -> Iterator[Scored]:
    """Whole stacks are judged as such, all others as early exits."""
    whole = [path for path in paths if len(path) == site.depth]
    yield from _with(bench.screen.early, site, [path for path in paths if len(path) < site.depth])
    yield from _with(bench.screen, site, whole)


def _with(judge: Callable[[list[Recipe]], list[Scores]], site: Site, paths: Sequence[Path]) -> Iterator[Scored]:
    scores = judge([recipe_of(site, path) for path in paths])
    return ((path, score.values) for path, score in zip(paths, scores, strict=True))


def recipe_of(site: Site, path: Path) -> Recipe:
    """The stack of a path, between the hosts of its ends."""
    names = [source.name for source in site.sources]
    refs = [LayerRef(names[number], layer) for layer, number in enumerate(path)]
    known = {source.name: source for source in site.sources}
    return Recipe.build(refs, refs[0].source, refs[-1].source, known)


def _tasks(site: Site) -> str:
    return digest_of([[each.name, each.task, each.metric] for each in site.objectives])
