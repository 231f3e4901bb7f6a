"""Which documents may steer the search and which only the report may touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hm3.errors import TaskError
from hm3.recipe import digest_of

Docs = dict[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Splits:
    """A task's documents by their number on their own split.

    Attributes:
        search: May steer the search: from the task's validation or training documents, or from a stated slice.
        test: Only for reports: the documents that lm-eval itself would score.
    """

    search: Docs
    test: Docs


def split(name: str, task: Any, search_limit: int | None = None, test_limit: int | None = None) -> Splits:
    """Take a task's splits; without separate ones the report keeps the second half of the only one.

    Args:
        name: The task, for messages.
        task: lm-eval's task.
        search_limit: At most so many search documents, the first ones.
        test_limit: At most so many test documents.

    Raises:
        TaskError: There are no documents, or some document is on both splits.
    """
    test = _numbered(task.eval_docs, None)
    search = _search_docs(task, test)
    if not search:
        half = len(test) // 2
        search, test = dict(list(test.items())[:half]), dict(list(test.items())[half:])
    if not search or not test:
        raise TaskError(f"task {name}: documents to search and to report on, got {len(search)} and {len(test)}")
    _check_disjoint(name, search, test)
    return Splits(_first(search, search_limit), _first(test, test_limit))


def _search_docs(task: Any, test: Docs) -> Docs:
    """Validation documents unless they are the ones reported on, else training documents."""
    if task.has_test_docs() and task.has_validation_docs():
        return _numbered(task.validation_docs(), None)
    return _numbered(task.training_docs(), None) if task.has_training_docs() else {}


def _numbered(docs: Iterable[Mapping[str, Any]], limit: int | None) -> Docs:
    return _first(dict(enumerate(docs)), limit)


def _first(docs: Docs, limit: int | None) -> Docs:
    return dict(list(docs.items())[:limit])


def _check_disjoint(name: str, search: Docs, test: Docs) -> None:
    seen = {_digest(doc): number for number, doc in search.items()}
    for number, doc in test.items():
        if _digest(doc) in seen:
            raise TaskError(
                f"task {name}: search and test documents must differ, got search {seen[_digest(doc)]} = test {number}"
            )


def _digest(doc: Mapping[str, Any]) -> str:
    return digest_of(repr(sorted((key, value) for key, value in doc.items() if key != "id")))
