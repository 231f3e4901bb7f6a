"""What a task asks about one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hm3.evaluation.answers import check_answer


def requests_of(
    name: str, task: Any, number: int, doc: Mapping[str, Any], prompting: Mapping[str, Any]
) -> tuple[Any, ...]:
    """The requests of one document, by the same two calls as in lm-eval.

    Args:
        name: The task's name.
        task: lm-eval's task, told how many examples it shows.
        number: The document's number on its split.
        doc: The document.
        prompting: How questions are put, from `Prompts.with_template`.

    Raises:
        TaskError: The document has no answer.
    """
    shots, prefix = task.config.num_fewshot or 0, task.doc_to_prefix(doc)
    context = task.fewshot_context(doc, num_fewshot=shots, gen_prefix=prefix, **prompting)
    template = {key: prompting[key] for key in ("apply_chat_template", "chat_template")}
    made = task.construct_requests(doc=doc, ctx=context, metadata=(name, number, task.config.repeats), **template)
    requests = tuple(made) if isinstance(made, list) else (made,)
    check_answer(name, number, task, doc, requests)
    return requests
