"""How many rows embedding and head of a stack have.

Models pad their vocabularies to round numbers, each to its own. A row counts only where both ends have it, so the
longer end is cut to the shorter: rows that are left out belong to no token, and `check_tokens` sees to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hm3.checkpoints.source_model import SourceModel
from hm3.checkpoints.tokenizer import tokenizer_of
from hm3.errors import CheckpointError


def rows_of(checkpoint: SourceModel) -> int:
    """The rows of a source's embedding and head: its `vocab_size`.

    Raises:
        CheckpointError: The config states none.
    """
    rows = checkpoint.config.get("vocab_size")
    if type(rows) is not int:
        raise CheckpointError(f"source {checkpoint.name}: config.json: vocab_size as a whole number, got {rows!r}")
    return rows


def shared_rows(embedding: SourceModel, head: SourceModel) -> int:
    """The `vocab_size` of a stack with this embedding host and this head host: the smaller of the two.

    Raises:
        CheckpointError: A config states none.
    """
    return min(rows_of(embedding), rows_of(head))


def check_tokens(reader: SourceModel, rows: int, owner: str) -> None:
    """See that every token that a source's tokenizer can produce has a row.

    Args:
        reader: The source whose tokenizer it is.
        rows: The rows that there are.
        owner: The source that has no more, for the message.

    Raises:
        CheckpointError: There are more tokens than rows.
    """
    tokenizer = tokenizer_of(reader)
    if tokenizer is not None and tokenizer.rows > rows:
        last = tokenizer.rows - 1
        raise CheckpointError(
            f"source {reader.name}: vocab_size of {owner} at least the tokens of {reader.name}'s tokenizer,"
            f" {tokenizer.rows} (the last is {tokenizer.tokens[last]!r}), got {rows}"
        )


def check_mixed_hosts(sources: Sequence[SourceModel]) -> None:
    """See that any source's head has a row for any source's tokens, where each may end what another began.

    Raises:
        CheckpointError: A tokenizer has more tokens than some source has rows.
    """
    fewest = min(sources, key=rows_of)
    for source in sources:
        if rows_of(source) > rows_of(fewest):
            check_tokens(source, rows_of(fewest), fewest.name)
