"""Whether checkpoints can give layers to one model: the same shapes, the same tokens, the same scalars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.fields import FIXED
from hm3.checkpoints.meaning import meaning
from hm3.checkpoints.tokenizer import both_tokenizers, same_files
from hm3.checkpoints.tokenizer_differences import hard_difference, soft_differences
from hm3.checkpoints.vocabulary import check_tokens, rows_of
from hm3.errors import CheckpointError, ConfigurationError

OnMismatch = Literal["refuse", "host"]
WAY_OUT = "mergekit-tokensurgeon can give one source the other's tokenizer"
HOST = "on_mismatch=host would use the host's for every layer"


def check_compatible(sources: Sequence[Checkpoint], on_mismatch: OnMismatch = "refuse") -> list[str]:
    """Compare every source with the first; depth and rows of padding may differ.

    Args:
        sources: At least one.
        on_mismatch: What to do about scalars that a config can hold once, and about tokenizers that give all common
            tokens the same numbers and differ elsewhere: refuse, or use the host's for every layer. (Where hosts then
            read a task's texts as different tokens, or cut them at different lengths, the task is refused.)

    Returns:
        One warning for each difference that was let pass.

    Raises:
        CheckpointError: A difference that is not let pass; source, field and both values are named.
        ConfigurationError: An unknown `on_mismatch`.
    """
    if on_mismatch not in ("refuse", "host"):
        raise ConfigurationError(f"on_mismatch: refuse or host, got {on_mismatch!r}")
    first, *others = sources
    warnings: list[str] = []
    for other in others:
        check_fixed(first, other)
        for message in (*_scalars(first, other), *_tokens(first, other)):
            if on_mismatch == "refuse":
                raise CheckpointError(f"{message}; {HOST}")
            warnings.append(f"{message}; the host's is used for every layer")
    for source in sources:
        check_tokens(source, rows_of(source), source.name)
    return warnings


def check_fixed(first: Checkpoint, other: Checkpoint) -> None:
    """See that two sources' layers have one shape and are made of the same functions.

    Raises:
        CheckpointError: They differ.
    """
    if other.model_type != first.model_type:
        raise CheckpointError(_message(first, other, "model_type", first.model_type, other.model_type))
    ours, theirs = meaning(first), meaning(other)
    for field in FIXED:
        if ours.get(field) != theirs.get(field):
            raise CheckpointError(_message(first, other, field, ours.get(field), theirs.get(field)))


def _scalars(first: Checkpoint, other: Checkpoint) -> Iterator[str]:
    ours, theirs = meaning(first), meaning(other)
    for field in dict.fromkeys([*ours, *theirs]):
        if field not in FIXED and ours.get(field) != theirs.get(field):
            yield _message(first, other, field, ours.get(field), theirs.get(field))


def _tokens(first: Checkpoint, other: Checkpoint) -> Iterator[str]:
    if same_files(first, other):
        return
    ours, theirs = both_tokenizers(first, other)
    names = (first.name, other.name)
    if reason := hard_difference(ours, theirs, names):
        raise CheckpointError(
            f"source {other.name}: tokenizer must equal that of {first.name}, got {reason}; {WAY_OUT}"
        )
    for difference in soft_differences(ours, theirs, names):
        yield f"source {other.name}: tokenizer must equal that of {first.name}, got {difference}"


def _message(first: Checkpoint, other: Checkpoint, field: str, ours: object, theirs: object) -> str:
    return f"source {other.name}: {field} must equal that of {first.name}, {ours!r}, got {theirs!r}"
