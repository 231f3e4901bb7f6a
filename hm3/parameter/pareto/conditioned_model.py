"""A transformers model whose weight matrices get their terms while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.meaning import full_config
from hm3.errors import CheckpointError
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.matrices import layer_matrices
from hm3.parameter.pareto.tensor import METHOD, Term
from hm3.parameter.pareto.texts import Batch

RECOMPUTED = 100_000_000  # bytes of weights from which layers are run again instead of keeping what they computed


def check_trainable(base: Checkpoint) -> None:
    """See, before any weight is read, that the layers' matrices are parameters of the model that transformers makes.

    Raises:
        CheckpointError: One is not: its family keeps it in another form in memory.
    """
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        empty: Any = AutoModelForCausalLM.from_config(deepcopy(full_config(base)))  # type: ignore[no-untyped-call]
    _check_parameters(empty, layer_matrices(base))


class ConditionedModel:
    """Runs a frozen base with the terms of some factors at some weights of the experts.

    The sum of a matrix and its term is made when its layer runs. Of larger models nothing but the layers' inputs is
    kept for the backward pass, so that at any time the sums of one layer exist. The head runs where it is asked.

    Args:
        model: The base, as ``PreTrainedModel`` in evaluation mode; it is changed for good, its parameters are not.
        names: The matrices that get terms, as checkpoints call them.

    Raises:
        CheckpointError: A matrix is no parameter of the model: its family keeps it in another form in memory.
    """

    def __init__(self, model: Any, names: Iterable[str]) -> None:
        self._model = model.requires_grad_(False)
        size = sum(each.numel() * each.element_size() for each in model.parameters())
        self._added = {name: _Added() for name in names}
        _check_parameters(model, self._added)
        for name, added in self._added.items():
            where, _, leaf = name.rpartition(".")
            parametrize.register_parametrization(model.get_submodule(where), leaf, added, unsafe=True)
        model.get_output_embeddings().register_forward_pre_hook(lambda _, inputs: inputs[0][self._scored])
        if size > RECOMPUTED:
            _recompute(model)

    @property
    def device(self) -> torch.device:
        """Where batches must be."""
        device: torch.device = self._model.device
        return device

    def logits(self, batch: Batch, factors: Factors, weights: Tensor) -> Tensor:
        """Logits (m, vocabulary) at the m scored positions of a batch, row by row, at weights (K,)."""
        self._scored = batch.scored
        for name, added in self._added.items():
            added.term, added.weights = factors.term(name), weights
        logits: Tensor = self._model(input_ids=batch.tokens, use_cache=False).logits
        return logits


class _Added(nn.Module):
    """A matrix plus its term."""

    term: Term | None = None
    weights: Tensor

    def forward(self, matrix: Tensor) -> Tensor:
        if self.term is None:
            return matrix
        left, right = self.term.at(self.weights)
        return matrix + (left.to(matrix.device) @ right.to(matrix.device)).to(matrix.dtype)


def _check_parameters(model: Any, names: Iterable[str]) -> None:
    parameters = dict(model.named_parameters())
    for name in names:
        if name not in parameters:
            rule = "losses on texts need weight matrices that transformers keeps as they are in the file"
            raise CheckpointError(f"{METHOD}: {rule} (losses=data_free works), got {name}")


def _recompute(model: Any) -> None:
    """Switch activation checkpointing on, for the layers alone: in evaluation mode transformers would ignore it."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers: list[Any] = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    for layer in layers:
        layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
        layer.gradient_checkpointing = layer.training = True
