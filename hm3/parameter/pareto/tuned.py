"""A merged model of the tensor as a checkpoint whose tensors are made when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.safetensors_header import Entry
from hm3.layers.low_rank import LowRank
from hm3.parameter.pareto.tensor import METHOD, TENSOR, ParetoTensor
from hm3.recipe import MergeSpec, Source


def is_conditioned(source: Source) -> bool:
    """Whether a source is a tensor's merged model for some weights."""
    return source.merge is not None and source.merge.method == METHOD


def tensor_digest(source: Source) -> str:
    """The digest of the tensor that makes a conditioned source."""
    assert source.merge is not None
    return str(dict(source.merge.settings)[TENSOR])


def tuned(matrix: Tensor, term: LowRank) -> Tensor:
    """The matrix (c, d) with the term in it, rounded once to its own type: what export writes and reports judge."""
    whole: Tensor = matrix + term.dense()
    return whole.to(matrix.dtype)


@dataclass(frozen=True, eq=False)
class TunedCheckpoint:
    """The merged model for some weights of the experts: its base's files, and the tensor beside them.

    Attributes:
        name: What people call it.
        merge: How it is made.
        pareto: The tensor.
        base: The tensor's base.
    """

    name: str
    merge: MergeSpec
    pareto: ParetoTensor
    base: Checkpoint

    @property
    def source(self) -> Source:
        """What recipes call it."""
        return Source.merged(self.name, self.merge)

    @property
    def path(self) -> Path:
        """The base's folder: tokenizer and generation settings are its own."""
        return self.base.path

    @property
    def config(self) -> Mapping[str, Any]:
        """The base's config.json."""
        return self.base.config

    @property
    def model_type(self) -> str:
        """The family, as transformers names it."""
        return self.base.model_type

    @property
    def depth(self) -> int:
        """Number of layers."""
        return self.base.depth

    @property
    def dtype(self) -> torch.dtype:
        """The floating type that most of the weights have."""
        return self.base.dtype

    @property
    def tensors(self) -> Mapping[str, Entry]:
        """Every weight's dtype and shape; the places are the base's."""
        return self.base.tensors

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of all tensors."""
        return self.base.tensor_names

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The files that make its tokenizer and chat template."""
        return self.base.tokenizer_files

    def term(self, name: str) -> LowRank | None:
        """What the weights add to the base's tensor `name`."""
        term = self.pareto.terms.get(name)
        return None if term is None else term.at(self._weights)

    def tensor(self, name: str) -> Tensor:
        """The tensor `name`, of the base's type: the base's own, mapped from its file, or made.

        Raises:
            CheckpointError: There is none.
        """
        matrix, term = self.base.tensor(name), self.term(name)
        return matrix if term is None else tuned(matrix, term)

    @cached_property
    def _weights(self) -> Tensor:
        return torch.tensor(self.merge.weights, dtype=torch.float64)
