"""What a tensor is trained for, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from hm3.checkpoints import Checkpoint
from hm3.levels.stage import Given
from hm3.parameter.pareto import CRITERIA, ConditionedModel, DataBased, DataFree, Differences, PreferenceLosses, Text
from hm3.recipe import Recipe
from hm3.session import Session


class Losses(Protocol):
    """Makes the losses of a run."""

    def __call__(self, session: Session, given: Given, base: Checkpoint, differences: Differences) -> PreferenceLosses:
        """The losses.

        Args:
            session: Has the tasks.
            given: The experts, and what they are for.
            base: What terms are added to.
            differences: The experts' from the base.
        """
        ...


def _data_free(session: Session, given: Given, base: Checkpoint, differences: Differences) -> PreferenceLosses:
    return DataFree(differences)


def _on_texts(
    criterion: str, session: Session, given: Given, base: Checkpoint, differences: Differences
) -> PreferenceLosses:
    with session.bench.guest(base):
        model = session.bench.assemble(Recipe.identity(base.source, base.depth))
    conditioned = ConditionedModel(model, differences.names)
    return DataBased(conditioned, _texts(session, given), CRITERIA[criterion], seed=session.seed)


def _texts(session: Session, given: Given) -> dict[str, list[Text]]:
    """For each expert the texts of the objectives that it is for."""
    by_task, tasks = session.bench.texts(), {each.name: each.task for each in session.bench.objectives}
    return {
        expert.source.name: [text for name in expert.objectives for text in by_task[tasks[name]]]
        for expert in given.experts
    }


ON_TEXTS: Mapping[str, Losses] = {name: partial(_on_texts, name) for name in ("entropy", "task")}
LOSSES: Mapping[str, Losses] = {"data_free": _data_free, **ON_TEXTS}
