"""Tiny models of two widths with one tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from hm3.checkpoints import Checkpoint
from hm3.widening import StreamMap, procrustes
from tests.tiny import write_checkpoint

NARROW = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
WIDE = {"hidden_size": 48, "intermediate_size": 72, "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 16}


def model(folder: Path, shape: dict[str, int], *, seed: int = 0, settings: Any = None, **rest: Any) -> Checkpoint:
    """A model of a shape, in float32, whose gains and biases are random too, as a trained one's are."""
    options = {"dtype": torch.float32, "settings": {**shape, **(settings or {})}, **rest}
    raw = write_checkpoint(folder.with_name(f"{folder.name} raw"), seed=seed, **options)
    return Checkpoint.open(folder.name, write_checkpoint(folder, near=raw, noise=0.2, seed=seed + 50, **options))


def turned(narrow: int, wide: int, depth: int) -> StreamMap:
    """A map that nothing was fitted to, and that leaves no coordinate where it was."""
    noise = torch.randn(wide, narrow, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return StreamMap(procrustes(noise), (1.0,) * (depth + 1))
