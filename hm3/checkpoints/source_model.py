"""What a source must be so that its layers can be stacked and scored, wherever its weights are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from hm3.checkpoints.safetensors_header import Entry
from hm3.recipe import Source


class SourceModel(Protocol):
    """A model that gives layers: a checkpoint's folder, or what is made of checkpoints without one."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def source(self) -> Source:
        """What recipes call it."""

    @property
    def path(self) -> Path:
        """The folder that has its tokenizer and generation settings; its weights need not be there."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Its ``config.json``."""

    @property
    def model_type(self) -> str:
        """The family, as transformers names it."""

    @property
    def depth(self) -> int:
        """Number of layers."""

    @property
    def dtype(self) -> torch.dtype:
        """The floating type that most of the weights have."""

    @property
    def tensors(self) -> Mapping[str, Entry]:
        """Every weight's dtype, shape and size in bytes."""

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of all tensors."""

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The files that make its tokenizer and chat template."""

    def tensor(self, name: str) -> torch.Tensor:
        """The tensor `name`; whoever asked must not write to it.

        Raises:
            CheckpointError: There is none.
        """
