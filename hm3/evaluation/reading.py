"""Whether all sources read the tasks' texts alike: a stack is exported with the tokenizer of its embedding's source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.content import file_digest
from hm3.errors import ConfigurationError, TaskError
from hm3.evaluation.parts import Parts
from hm3.evaluation.rows import Row
from hm3.recipe import digest_of


@dataclass(frozen=True, slots=True)
class Reader:
    """How a source reads.

    Attributes:
        name: The source.
        tokenizer: Its tokenizer.
        length: Its longest input, in tokens.
    """

    name: str
    tokenizer: Any
    length: int


def readers_of(checkpoints: Sequence[Checkpoint], tokenizer: Callable[[Path], Any]) -> list[Reader]:
    """One for each way to read, the first checkpoint's first.

    Args:
        checkpoints: The sources.
        tokenizer: Opens the one in a folder.
    """
    distinct: dict[tuple[str, ...], Checkpoint] = {}
    for checkpoint in checkpoints:
        distinct.setdefault(reading_of(checkpoint), checkpoint)
    return [Reader(each.name, tokenizer(each.path), _longest_input(each)) for each in distinct.values()]


def reading_of(checkpoint: Checkpoint) -> tuple[str, str]:
    """What decides how texts become rows: digest of the tokenizer's files, and the longest input."""
    files = [[file.name, file_digest(file)] for file in checkpoint.tokenizer_files]
    return digest_of(files), str(_longest_input(checkpoint))


def tokenizer_in(folder: Path) -> Any:
    """The tokenizer of a checkpoint's folder, as transformers opens it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def check_templates(readers: Sequence[Reader]) -> None:
    """See that all readers have the same chat template.

    Raises:
        ConfigurationError: One has none, or another one.
    """
    first = readers[0]
    for each in readers:
        if not each.tokenizer.chat_template:
            raise ConfigurationError(
                f"tasks.apply_chat_template: a chat template in every source, got none in {each.name}"
            )
        if each.tokenizer.chat_template != first.tokenizer.chat_template:
            raise ConfigurationError(
                f"tasks.apply_chat_template: one chat template in all sources, got another in {each.name} than in "
                f"{first.name}"
            )


def common_rows(parts: Parts, readers: Sequence[Reader]) -> list[list[Row]]:
    """The row sets, which must be the same whoever reads: then scores hold for every stack, whichever its host is.

    Args:
        parts: All items.
        readers: One for each way to read, the base's first.

    Raises:
        TaskError: Two readers see different tokens in some item, or one cuts it shorter.
    """
    first, *others = readers
    rows = parts.rows(first.tokenizer, first.length)
    for other in others:
        for part, ours, theirs in zip(parts.parts, rows, parts.rows(other.tokenizer, other.length), strict=True):
            if ours == theirs:
                continue
            place = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
            instance = [each for items in part.items for each in items.row_instances][place]
            raise TaskError(
                f"task {instance.task_name}, item {instance.doc_id}: the same tokens for every source, got others for"
                f" {other.name} than for {first.name} (its tokenizer, or its longest input of {other.length} tokens)"
            )
    return rows


def _longest_input(checkpoint: Checkpoint) -> int:
    """In tokens, by lm-eval's own rule: what families call it differs, and so do their defaults."""
    from lm_eval.models.utils import resolve_max_length
    from transformers import AutoConfig

    return int(resolve_max_length(AutoConfig.from_pretrained(checkpoint.path)))
