"""What sources read when their home states are measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hm3.recipe import digest_of

AT_ONCE = 4096  # padded tokens


@dataclass(frozen=True)
class Calibration:
    """Token rows, of search items only. The first token of a row is read but not measured.

    Where it begins, a text says nothing yet, and many models keep their attention's leftovers there, in states that
    are a hundred times as large as all others.

    Attributes:
        rows: The rows.
    """

    rows: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """Number of tokens that are measured."""
        return sum(len(row) - 1 for row in self.rows)

    @cached_property
    def digest(self) -> str:
        """Digest of the rows."""
        return digest_of(self.rows)

    def batches(self, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
        """Right-padded tokens (n, length), and which of them are measured, likewise."""
        batch: list[tuple[int, ...]] = []
        for row in sorted(self.rows, key=len):
            if batch and len(row) * (len(batch) + 1) > AT_ONCE:
                yield _padded(batch, device)
                batch = []
            batch.append(row)
        if batch:
            yield _padded(batch, device)


def _padded(rows: list[tuple[int, ...]], device: torch.device) -> tuple[Tensor, Tensor]:
    tokens = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    places = torch.arange(tokens.shape[1])
    measured = (places > 0) & (places < torch.tensor([len(row) for row in rows])[:, None])
    return tokens.to(device), measured.to(device)
