"""Whether a document says what the answer to it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hm3.errors import TaskError

_FIELD = re.compile(r"\{\{\s*(\w+)")  # what a template reads


def check_answer(name: str, number: int, task: Any, doc: Mapping[str, Any], made: Sequence[Any]) -> None:
    """See that a document has an answer.

    Args:
        name: The task, for messages.
        number: The document's number on its split.
        task: lm-eval's task.
        doc: The document.
        made: The requests that were made of it.

    Raises:
        TaskError: It has none.
    """
    try:
        target = task.doc_to_target(doc)
        known = _is_answer(task, doc, target)
    except Exception as error:  # templates raise what they like
        raise TaskError(f"task {name}, item {number}: an answer, got {type(error).__name__}: {error}") from error
    asked = [request.arguments[1] for request in made if request.request_type == "loglikelihood"]
    if not known or not all(isinstance(text, str) and text.strip(" ") for text in asked):
        raise TaskError(f"task {name}, item {number}: an answer that is not empty, got {target!r}")


def _is_answer(task: Any, doc: Mapping[str, Any], target: Any) -> bool:
    """Whether a target is there and, where there are choices, is one of them."""
    if target is None or (isinstance(target, str | list) and not target):
        return False
    template = task.config.doc_to_target
    fields = [template, *_FIELD.findall(template)] if isinstance(template, str) else []
    if any(field in doc and doc[field] is None for field in fields):  # templates write "None"
        return False
    if task.OUTPUT_TYPE != "multiple_choice" or task.multiple_input:
        return True
    choices = task.doc_to_choice(doc)
    targets = target if isinstance(target, list) else [target]
    return all(0 <= each < len(choices) if isinstance(each, int) else each in choices for each in targets)
