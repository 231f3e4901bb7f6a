"""Few-shot examples: which documents a task shows, and which it must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

from hm3.errors import TaskError
from hm3.evaluation.prompts import FEWSHOT_SEED
from hm3.recipe import digest_of

Doc = Mapping[str, Any]


def doc_digest(doc: Doc) -> str:
    """Digest of what a document says, whatever its id."""
    return digest_of(repr(sorted((key, value) for key, value in doc.items() if key != "id")))


@contextmanager
def collected(task: Any) -> Iterator[list[Doc]]:
    """Collects the examples that a task draws within the block."""
    seen: list[Doc] = []
    sampler = getattr(task, "sampler", None)
    if sampler is None:  # a task in Python without examples
        yield seen
        return
    draw = sampler.sample

    def sample(*arguments: Any, **options: Any) -> Any:
        drawn = draw(*arguments, **options)
        seen.extend(drawn)
        return drawn

    sampler.sample = sample
    try:
        yield seen
    finally:
        del sampler.sample


def drawn(name: str, task: Any, docs: Iterable[Doc]) -> frozenset[str]:
    """Digests of the examples that lm-eval shows before `docs`: which they are depends on the order of all of them.

    Raises:
        TaskError: There are too few to draw from.
    """
    shots = task.config.num_fewshot or 0
    if not shots:
        return frozenset()
    task.set_fewshot_seed(FEWSHOT_SEED)
    with collected(task) as seen:
        for doc in docs:
            _context(name, task, doc, shots)
    return frozenset(map(doc_digest, seen))


def pool(task: Any) -> list[Doc]:
    """The documents that a task draws its examples from."""
    if not hasattr(task, "sampler"):
        raise TaskError(f"task {task.task_name}: examples of tasks that are written in YAML, got one in Python")
    return list(task.sampler.fewshot_docs())


@contextmanager
def apart(name: str, task: Any, others: Set[str]) -> Iterator[None]:
    """Within the block the task draws no example whose digest is among `others`.

    Raises:
        TaskError: Too few are left.
    """
    shots = task.config.num_fewshot or 0
    if not shots:
        yield
        return
    every = pool(task)
    left = [doc for doc in every if doc_digest(doc) not in others]
    if len(left) <= shots:
        raise TaskError(f"task {name}: {_rule(shots)}, got {max(0, len(left))}; {FIX}")
    task.sampler.replace_df(left)
    try:
        yield
    finally:
        task.sampler.replace_df(every)


FIX = "a fewshot_split or a validation_split in its file would help"


def _rule(shots: int) -> str:
    return f"for {shots} examples at least {shots + 1} documents that are neither searched nor reported on"


def _context(name: str, task: Any, doc: Doc, shots: int) -> None:
    try:
        task.fewshot_context(doc, num_fewshot=shots)
    except (AssertionError, ValueError) as error:  # the sampler's own, with too few documents
        raise TaskError(f"task {name}: {_rule(shots)}, got fewer ({error}); {FIX}") from error
