"""The parts of a benchmark: screen (a few search items), rest (the other search items) and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hm3.evaluation.benchmark import Part
from hm3.evaluation.examples import apart, doc_digest
from hm3.evaluation.rows import Row
from hm3.evaluation.splits import Splits, sampled, without
from hm3.evaluation.tasks import TaskItems
from hm3.objectives import Objective


@dataclass(frozen=True, slots=True)
class Parts:
    """Disjoint parts: `screen` and `rest` are the search split, `test` only reports may touch.

    Attributes:
        screen: The same number of items of every task, for judging many stacks quickly.
        rest: All other search items; tasks may have none.
        test: The test split.
        training: Items of tasks that judge nothing, for what is trained on them.
    """

    screen: Part
    rest: Part
    test: Part
    training: tuple[TaskItems, ...] = ()

    @classmethod
    def build(
        cls,
        tasks: Mapping[str, Any],
        splits: Mapping[str, Splits],
        screen_items: int,
        prompting: Mapping[str, Any] | None = None,
    ) -> Parts:
        """Make all requests.

        Args:
            tasks: Name -> lm-eval task, in the run's order.
            splits: Name -> documents.
            screen_items: Items of each task that make the screen.
            prompting: How questions are put, from `Prompts.with_template`; None for plain.

        Raises:
            TaskError: A document has no answer, or examples for the search items would be items themselves.
        """
        made = [_items(name, task, splits[name], screen_items, prompting) for name, task in tasks.items()]
        screen, rest, test, training = (tuple(each[number] for each in made) for number in range(4))
        return cls(Part(screen, 0), Part(rest, 1), Part(test, 2, final=True), training)

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        """Those that judge."""
        return self.screen, self.rest, self.test

    def with_metrics(self, objectives: Sequence[Objective]) -> tuple[Objective, ...]:
        """The objectives, each with the metric that it means.

        Raises:
            TaskError: A task has no such metric, or it cannot be an objective.
        """
        items = {items.name: items for items in self.test.items}
        return tuple(replace(o, metric=items[o.task].metric_of(o.metric)) if o.task else o for o in objectives)

    def rows(self, tokenizer: Any, length: int) -> list[list[Row]]:
        """The row sets, in the order of the parts.

        Args:
            tokenizer: The sources' tokenizer.
            length: The models' longest input, in tokens.
        """
        from hm3.evaluation.encoding import RowEncoder  # it imports lm-eval, which worker processes do without

        encoder = RowEncoder(tokenizer, length)
        return [[row for items in part.items for row in encoder.rows(items.row_instances)] for part in self.parts]


def _items(
    name: str, task: Any, split: Splits, screen_items: int, prompting: Mapping[str, Any] | None
) -> tuple[TaskItems, TaskItems, TaskItems, TaskItems]:
    """A task's items in each part; examples before search items are neither searched nor reported on."""
    screen = sampled(name, split.search, screen_items)
    test = TaskItems.build(name, task, split.test, prompting)
    with apart(name, task, split.digests):
        screened, rest, training = (
            TaskItems.build(name, task, docs, prompting)
            for docs in (screen, without(split.search, screen), split.training)
        )
    searched = frozenset(map(doc_digest, split.search.values()))
    assert not (screened.examples | rest.examples) & split.digests
    assert not test.examples & searched
    return screened, rest, test, training
