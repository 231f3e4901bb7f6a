"""The front matter that the Hub reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from hm3.model_card.licences import Licence
from hm3.runs import FrontFile, Member

TAGS = ["merge", "hm3"]


def front_matter(base_models: Sequence[str], licence: Licence | None, title: str, results: list[EvalResult]) -> str:
    """YAML between its two lines of dashes.

    Args:
        base_models: Hub ids of the sources.
        licence: Of the whole.
        title: What the results are of.
        results: May be empty.
    """
    stated: dict[str, Any] = {
        "base_model": list(base_models) or None,
        "base_model_relation": "merge" if base_models else None,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": TAGS,
        **_licence(licence),
    }
    if results:
        stated |= {"model_name": title, "eval_results": results}
    return f"---\n{ModelCardData(**stated).to_yaml()}\n---"


def results_of(front: FrontFile, member: Member) -> list[EvalResult]:
    """What a candidate scores on the test split, one result for each task objective."""
    scores = member.scores.test or {}
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=objective.task,
            dataset_name=objective.task,
            dataset_split="test",
            metric_type=objective.metric,
            metric_name=f"{objective.name} ({objective.metric})",
            metric_value=float(scores[objective.name]),
        )
        for objective in front.objectives
        if objective.task and math.isfinite(scores.get(objective.name, math.nan))
    ]


def _licence(licence: Licence | None) -> dict[str, str]:
    if licence is None:
        return {}
    named = {"license_name": licence.name, "license_link": licence.link} if licence.id == "other" else {}
    return {"license": licence.id, **{key: value for key, value in named.items() if value}}
