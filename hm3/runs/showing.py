"""What is shown of a front, and in which order: the same in every table, picture and page."""

from __future__ import annotations

import numpy as np

from hm3.objectives import Scores
from hm3.runs.front import FrontFile, Member, Model


def given(front: FrontFile) -> list[Model]:
    """The sources that nobody merged."""
    return [model for model in front.sources if model.merge is None]


def merges(front: FrontFile) -> list[Model]:
    """Every merge, once: the parameter level's and the rivals."""
    found = {model.merge.digest: model for model in (*front.rivals, *front.sources) if model.merge is not None}
    return list(found.values())


def shown_scores(model: Model | Member, front: FrontFile) -> Scores:
    """Test scores, or the search split's where there are none."""
    scores = model.scores.on("test", front.names) or model.scores.on("search", front.names)
    assert scores is not None
    return scores


def ranked(front: FrontFile) -> list[Member]:
    """The candidates as they are shown: stacks before whole sources, by the utility of what is shown."""
    values = front.normaliser([shown_scores(member, front).values for member in front.candidates])
    worth = front.utility_function(values, np.asarray(front.preference.weights))
    order = sorted(range(len(worth)), key=lambda i: (not front.candidates[i].recipe.seams, -worth[i]))
    return [front.candidates[i] for i in order]
