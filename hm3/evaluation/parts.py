"""The parts of a benchmark: screen (a few search items), rest (the other search items) and test."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hm3.evaluation.benchmark import Part
from hm3.evaluation.rows import Row
from hm3.evaluation.splits import Docs, Splits
from hm3.evaluation.tasks import TaskItems


@dataclass(frozen=True, slots=True)
class Parts:
    """Disjoint parts: `screen` and `rest` are the search split, `test` only reports may touch.

    Attributes:
        screen: The same number of items of every task, for judging many stacks quickly.
        rest: All other search items; tasks may have none.
        test: The test split.
    """

    screen: Part
    rest: Part
    test: Part

    @classmethod
    def build(cls, tasks: Mapping[str, Any], splits: Mapping[str, Splits], screen_items: int) -> Parts:
        """Make all requests.

        Args:
            tasks: Name -> lm-eval task, in the run's order.
            splits: Name -> documents.
            screen_items: Items of each task that make the screen.
        """
        screens = {name: _sample(name, split.search, screen_items) for name, split in splits.items()}
        rests = {name: _without(split.search, screens[name]) for name, split in splits.items()}
        tests = {name: split.test for name, split in splits.items()}
        made = [
            tuple(TaskItems.build(name, task, docs[name]) for name, task in tasks.items())
            for docs in (screens, rests, tests)
        ]
        return cls(*(Part(items, row_set) for row_set, items in enumerate(made)))

    def rows(self, tokenizer: Any, length: int) -> list[list[Row]]:
        """The row sets, in the order of the parts.

        Args:
            tokenizer: The sources' tokenizer.
            length: The models' longest input, in tokens.
        """
        from hm3.evaluation.encoding import RowEncoder  # it imports lm-eval, which worker processes do without

        encoder = RowEncoder(tokenizer, length)
        return [
            [row for items in part.items for row in encoder.rows(items.row_instances)]
            for part in (self.screen, self.rest, self.test)
        ]


def _sample(name: str, docs: Docs, count: int) -> Docs:
    """A fixed choice of documents: the same for the same task, whatever the run's seed."""
    numbers = random.Random(name).sample(list(docs), min(count, len(docs)))  # noqa: S311 - no secret
    return {number: docs[number] for number in sorted(numbers)}


def _without(docs: Docs, gone: Docs) -> Docs:
    return {number: doc for number, doc in docs.items() if number not in gone}
