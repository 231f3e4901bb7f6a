"""Token rows of log-likelihood requests, and the padded buckets in which they are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BUCKET_TOKENS = 512  # hidden states of one bucket stay in a core's cache at small widths


@dataclass(frozen=True, slots=True)
class Row:
    """One request: the model reads `tokens` and is asked how likely `answer` is at their last positions.

    Attributes:
        tokens: Context and answer without the answer's last token, which is only predicted.
        answer: The answer's tokens; the last ``len(answer)`` positions of `tokens` predict them.
    """

    tokens: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Rows of similar length, right-padded.

    Attributes:
        rows: (n,) which rows these are, as indices into the list that was packed.
        tokens: (n, length).
        slots: (n, answers) positions that predict answer tokens, padded with 0.
        used: (n, answers) which slots are real.
        targets: (real slots,) the answer tokens, row by row.
        owners: (real slots,) index within the bucket of the row that each target belongs to.
    """

    rows: Tensor
    tokens: Tensor
    slots: Tensor
    used: Tensor
    targets: Tensor
    owners: Tensor

    def to(self, device: torch.device) -> Bucket:
        """The same bucket on a device."""
        return Bucket(*(getattr(self, name).to(device) for name in self.__slots__))


def pack(rows: Sequence[Row], bucket_tokens: int = BUCKET_TOKENS) -> list[Bucket]:
    """Rows in buckets of at most `bucket_tokens` padded tokens, or of a single row that is longer."""
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i].tokens), len(rows[i].answer), i))
    buckets: list[Bucket] = []
    start = 0
    for end in range(1, len(order) + 1):
        full = end == len(order) or len(rows[order[end]].tokens) * (end + 1 - start) > bucket_tokens
        if full:
            buckets.append(_bucket(rows, order[start:end]))
            start = end
    return buckets


class Buckets:
    """Row sets in buckets of one size, which shrinks where memory runs out.

    Args:
        row_sets: Lists of rows.
        tokens: Padded tokens of a bucket at most, unless a single row is longer.
        device: Where the buckets live.
    """

    def __init__(self, row_sets: Sequence[Sequence[Row]], tokens: int, device: torch.device) -> None:
        self._row_sets, self._device = row_sets, device
        self.shrink(tokens)

    def __getitem__(self, row_set: int) -> list[Bucket]:
        """The buckets of one row set."""
        if row_set not in self._packed:
            packed = pack(self._row_sets[row_set], self.tokens)
            self._packed[row_set] = [bucket.to(self._device) for bucket in packed]
        return self._packed[row_set]

    def shrink(self, tokens: int) -> None:
        """Pack anew with at most so many tokens in a bucket."""
        self.tokens = tokens
        self._packed: dict[int, list[Bucket]] = {}


def _bucket(rows: Sequence[Row], members: Sequence[int]) -> Bucket:
    chosen = [rows[i] for i in members]
    tokens = torch.zeros(len(chosen), max(len(row.tokens) for row in chosen), dtype=torch.long)
    slots = torch.zeros(len(chosen), max(len(row.answer) for row in chosen), dtype=torch.long)
    used = torch.zeros(slots.shape, dtype=torch.bool)
    for i, row in enumerate(chosen):
        tokens[i, : len(row.tokens)] = torch.tensor(row.tokens)
        slots[i, : len(row.answer)] = torch.arange(len(row.tokens) - len(row.answer), len(row.tokens))
        used[i, : len(row.answer)] = True
    targets = torch.tensor([token for row in chosen for token in row.answer])
    owners = torch.arange(len(chosen)).repeat_interleave(used.sum(1))
    return Bucket(torch.tensor(list(members)), tokens, slots, used, targets, owners)
