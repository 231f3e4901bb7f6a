"""What seams are fitted on: search items, as the tasks put them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hm3.checkpoints import Checkpoint
from hm3.evaluation.parts import Parts
from hm3.evaluation.reading import Reader
from hm3.evaluation.tasks import TaskItems
from hm3.layers import LayerBank
from hm3.seams import (
    NONE,
    RULES,
    Calibration,
    Fits,
    NoSeams,
    Seams,
    check_foldable,
    check_tokens,
    residual_width,
)

ITEMS = 32  # of each task, at least
SPARE = 2  # times as many tokens as a rule needs at least: no more than that would fit a rotation to accidents


def fitted_seams(rule: str, bank: LayerBank, parts: Parts, reader: Reader, checkpoints: Sequence[Checkpoint]) -> Seams:
    """What a rule does at seams; fitted when it is first asked for.

    Args:
        rule: Its name, or ``none``.
        bank: Will know the sources.
        parts: All items.
        reader: Reads them.
        checkpoints: The sources.

    Raises:
        CheckpointError: Seams of this rule cannot be folded into the weights of a source.
        ConfigurationError: There are too few search items to fit it on.
    """
    if rule == NONE:
        return NoSeams()
    check_foldable(rule, checkpoints)
    width = residual_width(checkpoints[0])
    rows = calibration(parts, reader, RULES[rule].tokens(width))
    check_tokens(rule, rows, width)
    return Fits(rule, bank, rows)


def calibration(parts: Parts, reader: Reader, needed: int) -> Calibration:
    """The first search items of every task: so many, and more where that is too little text.

    Args:
        parts: All items; those of the test split are left alone.
        reader: Reads them.
        needed: Tokens that the rule needs.
    """
    from hm3.evaluation.encoding import RowEncoder  # it imports lm-eval, which worker processes do without

    encoder = RowEncoder(reader.tokenizer, reader.length)
    pairs = list(zip(parts.screen.items, parts.rest.items, strict=True))
    share = SPARE * needed / max(1, len(pairs))
    return Calibration(tuple(row for pair in pairs for row in _first(pair, encoder, reader.length, share)))


def _first(items: tuple[TaskItems, ...], encoder: Any, length: int, tokens: float) -> list[tuple[int, ...]]:
    """Rows of a task's first documents, at least `ITEMS` and `tokens` where there are as many."""
    numbered = [pair for each in items for pair in zip(each.ids, each.requests, strict=True)]
    rows: list[tuple[int, ...]] = []
    for _, requests in sorted(numbered, key=lambda pair: pair[0]):
        if len(rows) >= ITEMS and sum(map(len, rows)) >= tokens:
            break
        row = _row(requests[0], encoder, length)
        rows += [row] if len(row) > 1 else []
    return rows


def _row(request: Any, encoder: Any, length: int) -> tuple[int, ...]:
    """A request's tokens: with the answer where one is given, the question alone where one is to be written."""
    if request.request_type == "loglikelihood":
        (row,) = encoder.rows([request])
        return tuple(row.tokens)
    return tuple(encoder.tok_encode(request.args[0])[:length])
