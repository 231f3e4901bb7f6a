"""A front as a value for scripts: everything that plots, tables and sliders need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hm3.pages.stacks import Look, looks, looks_json, stack_json
from hm3.recipe import MergeSpec
from hm3.runs import FrontFile, Member, Model
from hm3.runs.front import SplitScores
from hm3.runs.showing import given, merges


def front_json(front: FrontFile) -> dict[str, Any]:
    """The front as a JSON value; candidates in the order of ``front.json``, which decides between equals."""
    known = looks(front)
    return {
        "objectives": _objectives(front),
        "utility": {"name": front.utility, "parameters": dict(front.utility_parameters)},
        "weights": list(front.preference.weights),
        "looks": looks_json(known),
        "candidates": [_candidate(member, front, known) for member in front.candidates],
        "chosen": [member.recipe.digest for member in front.candidates].index(front.chosen),
        "sources": [_model(model, front, list(known).index(model.name)) for model in given(front)],
        "merges": [_model(model, front, None) for model in merges(front)],
    }


def _objectives(front: FrontFile) -> list[dict[str, Any]]:
    scales = zip(front.objectives, front.normaliser.floors, front.normaliser.bests, strict=True)
    return [
        {"name": objective.name, "metric": objective.metric, "floor": floor, "best": best}
        for objective, floor, best in scales
    ]


def _candidate(member: Member, front: FrontFile, known: Mapping[str, Look]) -> dict[str, Any]:
    return {
        "digest": member.recipe.digest,
        "depth": member.recipe.depth,
        "stack": stack_json(member.recipe, known),
        "metrics": dict(member.metrics),
        **_scores(member.scores, front),
    }


def _model(model: Model, front: FrontFile, look: int | None) -> dict[str, Any]:
    return {
        "name": model.name,
        "depth": model.depth,
        "look": look,
        "method": "" if model.merge is None else _method(model),
        **_scores(model.scores, front),
    }


def _method(model: Model) -> str:
    """How it was merged: the method, then each parent with its share of the weights, block by block."""
    assert model.merge is not None
    (_, first), *blocks = model.merge.parts
    shares = [_shares(first), *(f"from layer {start} {_shares(part)}" for start, part in blocks)]
    return f"{model.merge.method}: " + "; ".join(shares)


def _shares(merge: MergeSpec) -> str:
    parents = zip(merge.parents, merge.weights, strict=True)
    return ", ".join(f"{parent.name} {weight:.2g}" for parent, weight in parents)


def _scores(scores: SplitScores, front: FrontFile) -> dict[str, list[float] | None]:
    search, test = scores.on("search", front.names), scores.on("test", front.names)
    assert search is not None
    return {"search": list(search.values), "test": None if test is None else list(test.values)}
