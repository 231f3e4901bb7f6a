"""Results of runs that never were: fronts of any size over sources with any names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hm3.evidence import Interval
from hm3.objectives import Normaliser, Objective, Preference
from hm3.recipe import LayerRef, MergeSpec, Recipe, Source, digest_of
from hm3.runs import FrontFile, Member, Model, RunFolder, SplitScores

SOURCES = ("base", "math", "code", "translation")
OBJECTIVES = ("math", "code", "translation", "safety", "chat", "law", "depth")


def write_run(folder: Path, front: FrontFile | None = None, metrics: str = "") -> RunFolder:
    """A run folder with a result and what was logged."""
    run = RunFolder(folder)
    run.write_front(front or front_of())
    run.metrics.write_text(metrics, encoding="utf-8")
    return run


def front_of(
    objectives: int | Sequence[str] = 3,
    candidates: int = 12,
    depth: int = 8,
    *,
    sources: Sequence[str] = SOURCES,
    seed: int = 0,
    **changes: Any,
) -> FrontFile:
    """A front with random stacks and scores in [0, 1]; `changes` replace fields."""
    rng = np.random.default_rng(seed)
    names = OBJECTIVES[:objectives] if isinstance(objectives, int) else tuple(objectives)
    given = {name: Source(name, digest_of(name)) for name in sources}
    spec = MergeSpec("dare_ties", given[sources[0]], tuple(given.values())[1:3], (0.7, 0.3))
    pool = given | {"merge": Source.merged("merge", spec)}

    def scores() -> SplitScores:
        split = [dict(zip(names, rng.random(len(names)).round(4).tolist(), strict=True)) for _ in range(2)]
        return SplitScores(*split)

    members = [Member(_stack(rng, pool, depth), scores(), {"exact_match": 0.5}) for _ in range(candidates)]
    values = {
        "objectives": tuple(Objective(name, f"task_{name}", "acc", 0.05) for name in names),
        "normaliser": Normaliser(names, (0.05,) * len(names), (0.8,) * len(names)),
        "utility": "tchebycheff",
        "utility_parameters": {"reference": 1.5, "rho": 0.05},
        "preference": Preference.of(None, names),
        "hypervolume": 0.5,
        "hypervolume_search": 0.6,
        "hypervolume_ratio": Interval(1.01, 1.0, 1.02),
        "evaluations": 100,
        "seed": seed,
        "sources": tuple(Model(name, depth, scores()) for name in sources),
        "rivals": (Model("dare_ties 70/30", depth, scores(), {}, spec),),
        "candidates": tuple(members),
        "chosen": members[0].recipe.digest,
        "versions": {"hm3": "0.1.0"},
    }
    return FrontFile(**values | changes)


def _stack(rng: np.random.Generator, pool: dict[str, Source], depth: int) -> Recipe:
    """Stretches of three layers of one source each."""
    names = [str(rng.choice(list(pool))) for _ in range(depth // 3 + 1)]
    path = [LayerRef(names[layer // 3], layer) for layer in range(depth)]
    return Recipe.build(path, str(rng.choice(list(pool))), next(iter(pool)), pool)
