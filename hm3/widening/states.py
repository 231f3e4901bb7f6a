"""The residual stream of a source on token rows, boundary by boundary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import LayerBank

BATCH_TOKENS = 4096
CPU = torch.device("cpu")
Rows = Sequence[Sequence[int]]


@torch.no_grad()  # while it runs, not between two states
def residual_streams(source: Checkpoint, rows: Rows, device: torch.device = CPU) -> Iterator[Tensor]:
    """The stream before each layer and after the last: depth + 1 times (tokens, width), in float32.

    One layer's weights are held at a time, and one boundary's states.

    Args:
        source: A source of a family that HM3 runs.
        rows: Token ids; none empty.
        device: Where it runs. The states come to the CPU.

    Raises:
        CheckpointError: A family that HM3 doesn't run, or states that are not finite.
    """
    bank = LayerBank(device, torch.float32, budget=1)
    bank.add(source.name, source)
    forward = bank.forward(source.name, max(map(len, rows)))
    batches = _padded(rows)
    hidden = [forward.begin(bank.embedding(source.name), tokens.to(device)) for tokens, _ in batches]
    yield _real(source, hidden, batches)
    for index in range(source.depth):
        layer = bank.layer(source.name, index)
        hidden = [forward.layer(layer, each) for each in hidden]
        yield _real(source, hidden, batches)


def _padded(rows: Rows) -> list[tuple[Tensor, Tensor]]:
    """Batches of token ids, padded at the right, and which of them are real."""
    count = max(1, BATCH_TOKENS // max(map(len, rows)))
    parts = (rows[start : start + count] for start in range(0, len(rows), count))
    return [_batch([torch.tensor(row) for row in part]) for part in parts]


def _batch(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    tokens = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return tokens, torch.arange(tokens.shape[1]) < lengths[:, None]


def _real(source: Checkpoint, hidden: Sequence[Tensor], batches: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    states = torch.cat([each.cpu()[used] for each, (_, used) in zip(hidden, batches, strict=True)])
    if not states.isfinite().all():
        raise CheckpointError(f"source {source.name}: finite hidden states on the text, got NaN or infinity")
    return states
