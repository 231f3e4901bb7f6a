"""Which documents may steer the search and which only the report may touch."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from hm3.errors import TaskError
from hm3.evaluation.examples import FIX, doc_digest, drawn, pool

Docs = dict[int, Mapping[str, Any]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Splits:
    """A task's documents by their number on their own split.

    Attributes:
        search: May steer the search: from the task's validation or training documents, or from a stated slice.
        test: Only for reports: the documents that lm-eval itself would score.
        training: Those that could steer the search, but are kept for what is trained on documents.
    """

    search: Docs
    test: Docs
    training: Docs = field(default_factory=dict)

    @property
    def digests(self) -> frozenset[str]:
        """What all documents say, as digests."""
        return frozenset(map(doc_digest, [*self.search.values(), *self.test.values(), *self.training.values()]))


def split(
    name: str, task: Any, search_limit: int | None = None, test_limit: int | None = None, training: float = 0.0
) -> Splits:
    """Take a task's splits; without separate ones the report keeps the second half of the only one.

    What the report shows, as a question or as an example, is left out of the search.

    Args:
        name: The task, for messages.
        task: lm-eval's task, told how many examples it shows.
        search_limit: At most so many search documents, the first ones.
        test_limit: At most so many test documents.
        training: Share of the search documents that is kept for training, a fixed choice; one at least is searched.

    Raises:
        TaskError: There are no documents, or most are on both splits; or examples can only come from the report's own.
    """
    search, test = _halves(name, task)
    search = _without_test(name, search, test)
    test = _first(test, test_limit)
    search = _without_examples(name, task, search, test)
    kept = sampled(f"{name}: training", search, min(round(training * len(search)), len(search) - 1))
    return Splits(_first(without(search, kept), search_limit), test, kept)


def sampled(name: str, docs: Docs, count: int) -> Docs:
    """A fixed choice of documents, at most `count`: the same for the same name, whatever the run's seed."""
    numbers = random.Random(name).sample(list(docs), min(count, len(docs)))  # noqa: S311 - no secret
    return {number: docs[number] for number in sorted(numbers)}


def without(docs: Docs, others: Docs) -> Docs:
    """The documents that are not among others of the same split."""
    return {number: doc for number, doc in docs.items() if number not in others}


def report_documents(name: str, task: Any, limit: int | None = None) -> Docs:
    """The documents that the report is made of; arguments and errors as for `split`."""
    return _first(_halves(name, task)[1], limit)


def _halves(name: str, task: Any) -> tuple[Docs, Docs]:
    """All documents for the search and for the report."""
    test = _numbered(task.eval_docs)
    search = _search_docs(task)
    if not search:
        half = len(test) // 2
        search, test = dict(list(test.items())[:half]), dict(list(test.items())[half:])
    if not search or not test:
        raise TaskError(f"task {name}: documents to search and to report on, got {len(search)} and {len(test)}")
    return search, test


def _search_docs(task: Any) -> Docs:
    """Validation documents unless they are the ones reported on, else training documents."""
    if task.has_test_docs() and task.has_validation_docs():
        return _numbered(task.validation_docs())
    return _numbered(task.training_docs()) if task.has_training_docs() else {}


def _without_test(name: str, search: Docs, test: Docs) -> Docs:
    """The search documents that are not in the report: a few that are may be an accident, most of them are none."""
    left = _without(search, frozenset(map(doc_digest, test.values())))
    gone = len(search) - len(left)
    if 2 * gone > len(search):
        raise TaskError(f"task {name}: search and test documents must differ, got {gone} of {len(search)} on both")
    if gone:
        _log.warning("task %s: %d of %d search items are test items too and are left out", name, gone, len(search))
    return left


def _without_examples(name: str, task: Any, search: Docs, test: Docs) -> Docs:
    """The search documents that lm-eval doesn't show as examples before those of the report."""
    if not task.config.num_fewshot:
        return search
    questions, shown = frozenset(map(doc_digest, test.values())), drawn(name, task, test.values())
    own = sum(doc_digest(doc) in questions for doc in pool(task))
    if 2 * own >= len(pool(task)):
        raise TaskError(f"task {name}: examples that are not questions of the report themselves, got {own}; {FIX}")
    left = _without(search, shown)
    if not left:
        raise TaskError(f"task {name}: search documents that the report doesn't show as examples, got none; {FIX}")
    if len(left) < len(search):
        _log.info(
            "task %s: %d of %d search items remain, the others are the report's examples", name, len(left), len(search)
        )
    if shown & questions:
        _log.warning("task %s: %d test items are also among the examples, as in lm-eval", name, len(shown & questions))
    return left


def _without(docs: Docs, gone: Set[str]) -> Docs:
    return {number: doc for number, doc in docs.items() if doc_digest(doc) not in gone}


def _numbered(docs: Iterable[Mapping[str, Any]]) -> Docs:
    return dict(enumerate(docs))


def _first(docs: Docs, limit: int | None) -> Docs:
    return dict(list(docs.items())[:limit])
