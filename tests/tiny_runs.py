"""Run folders with small results that a person can check, without a run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from hm3.evidence import Interval
from hm3.objectives import Normaliser, Objective, Preference
from hm3.recipe import Recipe, Source
from hm3.runs import FrontFile, Member, Model, RunFolder, SplitScores, front_hypervolume

NAMES = ("math", "code")
MATH, CODE = Source("math", "d-math"), Source("code", "d-code")


def small_front(*, names: Sequence[str] = NAMES, best: float = 1.0, low: float = 0.5, **changes: Any) -> FrontFile:
    """A front of two sources: each scores 1 in one objective and `low` in all others, the same on both splits.

    Args:
        names: The objectives; the first weighs three times as much as any other.
        best: What counts as 1 in the first objective.
        low: See above.
        changes: Fields of `FrontFile`.
    """
    rows = [{name: 1.0 if i == at else low for i, name in enumerate(names)} for at in range(2)]
    scores = [SplitScores(row, row) for row in rows]
    members = tuple(
        Member(Recipe.identity(source, 2), score) for source, score in zip((MATH, CODE), scores, strict=True)
    )
    normaliser = Normaliser(tuple(names), (0.0,) * len(names), (best, *[1.0] * (len(names) - 1)))
    values = {
        "objectives": tuple(Objective(name, f"task_{name}", "acc") for name in names),
        "normaliser": normaliser,
        "utility": "linear",
        "utility_parameters": {},
        "preference": Preference.of({name: 1 if i else 3 for i, name in enumerate(names)}, names),
        "hypervolume": front_hypervolume(members, normaliser, "test"),
        "hypervolume_search": front_hypervolume(members, normaliser, "search"),
        "hypervolume_ratio": Interval(1.1, 1.0, 1.2),
        "evaluations": 40,
        "seed": 0,
        "sources": (Model("math", 2, scores[0]), Model("code", 2, scores[1])),
        "rivals": (),
        "candidates": members,
        "chosen": members[0].recipe.digest,
        "versions": {"hm3": "0.1.0"},
    }
    return FrontFile(**values | changes)


def write_run(
    path: Path,
    front: FrontFile | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    curve: Sequence[tuple[int, float]] = ((20, 0.25), (40, 0.75)),
    seconds: int = 75,
) -> RunFolder:
    """A run folder as Hydra and the main job leave it.

    Args:
        path: The folder.
        front: Its result; None for a run that was killed.
        settings: What Hydra kept, as nested mappings; None keeps the agent alone.
        curve: (evaluations, hypervolume) as logged.
        seconds: Between its first file and its result, by their times.
    """
    run, kept = RunFolder(path), path / ".hydra" / "config.yaml"
    kept.parent.mkdir(parents=True)
    kept.write_text(yaml.safe_dump(dict(settings or {"agent": {"_target_": "agents.PPO", "width": 64}})))
    lines = [json.dumps({"step": step, "hypervolume": volume}) for step, volume in curve]
    run.metrics.write_text("".join(f"{line}\n" for line in lines))
    if front is not None:
        run.write_front(front)
        begun = run.front.stat().st_mtime - seconds
        os.utime(kept, (begun, begun))
    return run
