"""Tasks' items as texts to train on: what is asked, and the reference answer, as lm-eval would put them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from hm3.errors import TaskError
from hm3.evaluation.parts import Parts
from hm3.evaluation.reading import Reader
from hm3.evaluation.tasks import TaskItems
from hm3.parameter.pareto.texts import Text


def training_texts(parts: Parts, reader: Reader) -> dict[str, list[Text]]:
    """Task -> the texts of its training items, which judge nothing; nobody sees a test item.

    Args:
        parts: All items.
        reader: How the sources read.

    Raises:
        TaskError: An answer has no tokens, or a task's answers cannot be read off its documents.
    """
    return {items.name: _texts(items, reader) for items in parts.training}


def _texts(items: TaskItems, reader: Reader) -> list[Text]:
    from hm3.evaluation.encoding import RowEncoder

    rows = RowEncoder(reader.tokenizer, reader.length).rows(list(_answered(items)))
    return [Text((*row.tokens, row.answer[-1]), len(row.tokens) + 1 - len(row.answer)) for row in rows]


def _answered(items: TaskItems) -> Iterator[Any]:
    """For each document the request with its reference answer."""
    for doc, requests in zip(items.docs, items.requests, strict=True):
        yield _ANSWERS.get(requests[0].request_type, _refused)(items, doc, requests)


def _chosen(items: TaskItems, doc: Mapping[str, Any], requests: Sequence[Any]) -> Any:
    """Of several given answers the right one; a single one is the reference."""
    if len(requests) == 1:
        return requests[0]
    target = items.task.doc_to_target(doc)
    number = target[0] if isinstance(target, list) and target else target
    if isinstance(number, str):
        number = items.task.doc_to_choice(doc).index(number)
    if not isinstance(number, int) or not 0 <= number < len(requests):
        raise TaskError(f"task {items.name}: the number of the right answer in every document, got {target!r:.60}")
    return requests[number]


def _completed(items: TaskItems, doc: Mapping[str, Any], requests: Sequence[Any]) -> Any:
    """A question that models answer in their own words, with the document's answer."""
    target = items.task.doc_to_target(doc)
    target = target[0] if isinstance(target, list) and target else target
    if not isinstance(target, str | int | float):
        raise TaskError(f"task {items.name}: an answer in every document, got {target!r:.60}")
    asked = copy(requests[0])
    delimiter = items.task.config.target_delimiter or ""
    asked.request_type, asked.arguments = "loglikelihood", (requests[0].args[0], f"{delimiter}{target}")
    return asked


def _refused(items: TaskItems, doc: Mapping[str, Any], requests: Sequence[Any]) -> Any:
    raise TaskError(f"task {items.name}: prompts and answers to train on, got {requests[0].request_type} requests")


_ANSWERS = {"loglikelihood": _chosen, "generate_until": _completed}
