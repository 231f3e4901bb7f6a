"""Texts to train on: token rows that are passed in, and the batches in which a model reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Text:
    """An item of a task: what is asked, and the reference answer.

    Attributes:
        tokens: Prompt and answer.
        prompt: Number of tokens of the prompt, at least 1; all others are the answer's.
    """

    tokens: tuple[int, ...]
    prompt: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded rows; under a causal mask padding reaches no real position.

    Attributes:
        tokens: (n, length)
        scored: (n, length) the positions whose prediction of the next token counts.
        targets: (n, length) the next token where it is known, else 0.
    """

    tokens: Tensor
    scored: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(self.tokens.to(device), self.scored.to(device), self.targets.to(device))


def answers(texts: Sequence[Text]) -> Batch:
    """Prompts with their answers; what counts is how the answers' tokens are predicted."""
    return _batch([text.tokens for text in texts], [text.prompt for text in texts])


def prompts(texts: Sequence[Text]) -> Batch:
    """Prompts alone, without labels; what counts is the prediction at their end: of an answer that nobody gives."""
    rows = [(*text.tokens[: text.prompt], 0) for text in texts]
    return _batch(rows, [text.prompt for text in texts])


def _batch(rows: Sequence[tuple[int, ...]], firsts: Sequence[int]) -> Batch:
    """Every row without its last token; the tokens from `firsts` on are predicted."""
    length = max(map(len, rows)) - 1
    tokens, targets = (torch.zeros(len(rows), length, dtype=torch.long) for _ in range(2))
    scored = torch.zeros(len(rows), length, dtype=torch.bool)
    for i, (row, first) in enumerate(zip(rows, firsts, strict=True)):
        tokens[i, : len(row) - 1] = torch.tensor(row[:-1])
        targets[i, : len(row) - 1] = torch.tensor(row[1:])
        scored[i, first - 1 : len(row) - 1] = True
    return Batch(tokens, scored, targets)
