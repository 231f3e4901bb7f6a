"""Stacks of two tiny sources that are near each other, and rows to score them on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import torch

from hm3.checkpoints import Checkpoint
from hm3.evaluation.rows import Row
from hm3.layers import LayerBank
from hm3.recipe import Content, LayerRef, Recipe
from tests.tiny import write_checkpoint

MB = 1 << 20
ROWS = [Row(tuple(range(4, 6 + i % 37)), (5,) * (1 + i % 2)) for i in range(60)]
FEW = ROWS[:3]


def two_sources(folder: Path) -> dict[str, Checkpoint]:
    """Sources ``a`` and ``b`` of four layers."""
    raw = write_checkpoint(folder / "raw")
    paths = {name: write_checkpoint(folder / name, near=raw, noise=0.1, seed=i) for i, name in enumerate("ab")}
    return {name: Checkpoint.open(name, path) for name, path in paths.items()}


def bank_of(sources: Mapping[str, Checkpoint]) -> LayerBank:
    """A bank with these sources, in float32."""
    bank = LayerBank(torch.device("cpu"), torch.float32)
    for checkpoint in sources.values():
        bank.add(checkpoint.source.digest, checkpoint)
    return bank


def stack(sources: Mapping[str, Checkpoint], layers: str, host: str = "a", head: str = "a") -> Content:
    """A stack from words such as ``a0 b1``."""
    named = {name: checkpoint.source for name, checkpoint in sources.items()}
    return Recipe.build([LayerRef(layer[0], int(layer[1])) for layer in layers.split()], host, head, named).content


def some_stacks(sources: Mapping[str, Checkpoint], count: int = 24) -> list[Content]:
    """Stacks that often begin alike."""
    choose = random.Random(3)
    return [
        stack(sources, " ".join(f"{choose.choice('aab')}{i}" for i in range(choose.randint(1, 4))), choose.choice("ab"))
        for _ in range(count)
    ]
