"""A plain checkpoint for any weights of the experts: the base with its terms in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint, Computed
from hm3.parameter.pareto.matching import check_fits
from hm3.parameter.pareto.tensor import ParetoTensor, Term
from hm3.parameter.pareto.tuned import tuned


def planned_terms(tensor: ParetoTensor, base: Checkpoint, weights: Sequence[float]) -> list[Computed]:
    """Every tensor of the model for weights (K,), sorted by name.

    A weight matrix with a term is the base's plus the term in float32, rounded once to the base's type; every other
    tensor is the base's own, bit by bit.

    Args:
        tensor: What was trained.
        base: The model that it was trained for.
        weights: Of the experts.

    Raises:
        CheckpointError: The base is another.
    """
    check_fits(tensor, base)
    make = partial(_made, base, tensor.terms, torch.tensor(weights, dtype=torch.float64))
    entries = sorted(base.tensors.items())
    return [Computed(name, entry.dtype, entry.shape, partial(make, name)) for name, entry in entries]


def _made(base: Checkpoint, terms: Mapping[str, Term], weights: Tensor, name: str) -> Tensor:
    matrix = base.read(name)
    return tuned(matrix, terms[name].at(weights)) if name in terms else matrix
