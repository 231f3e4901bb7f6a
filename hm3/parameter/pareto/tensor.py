"""The preference-conditioned tensor: ``W(w) = W_base + G x1 A x2 B x3 w`` for every weight matrix of the layers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from hm3.layers.conditioned import ConditionedTerm
from hm3.layers.low_rank import LowRank
from hm3.recipe import MergeSpec, Source, digest_of

METHOD = "pareto_merging"  # of the merge specifications; no method of mergekit's
TENSOR = "tensor"  # their setting: the tensor's digest


@dataclass(frozen=True, eq=False)
class Term:
    """What one weight matrix (c, d) gets for K experts: ``sum_k w_k A G_k B^T``.

    Attributes:
        left: A, (c, r)
        core: G, (r, r, K)
        right: B, (d, r)
    """

    left: Tensor
    core: Tensor
    right: Tensor

    def at(self, weights: Tensor) -> LowRank:
        """The term for weights (K,) of the experts."""
        return LowRank(self.left @ (self.core @ weights.to(self.core)), self.right.mT)

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes factors travel as bytes: torch would open a file for each of them."""
        return _term, tuple(part.detach().numpy() for part in (self.left, self.core, self.right))


@dataclass(frozen=True, eq=False)
class ParetoTensor:
    """A trained tensor with what it belongs to.

    Attributes:
        terms: Name of a weight matrix, as checkpoints call it -> its term.
        base: The merged (or given) source that the terms are added to.
        experts: The K fine-tuned sources whose weights condition it, in order.
    """

    terms: Mapping[str, Term]
    base: Source
    experts: tuple[Source, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of terms, base and experts: what decides W for every weights."""
        numbers = [
            [name, *(_digest(part) for part in (term.left, term.core, term.right))]
            for name, term in sorted(self.terms.items())
        ]
        return digest_of([numbers, self.base.digest, [expert.digest for expert in self.experts]])

    def term(self, name: str) -> ConditionedTerm | None:
        """What is added to the base's tensor `name`, as layers take it."""
        term = self.terms.get(name)
        return None if term is None else ConditionedTerm(term.left, term.core, term.right.mT)

    def spec(self, weights: Sequence[float]) -> MergeSpec:
        """The merged model for weights (K,) of the experts, as a merge specification."""
        settings = ((TENSOR, self.digest),)
        return MergeSpec(METHOD, self.base, self.experts, tuple(map(float, weights)), settings)

    def source(self, name: str, weights: Sequence[float]) -> Source:
        """The merged model for weights (K,) of the experts, as a source."""
        return Source.merged(name, self.spec(weights))


def _term(*factors: NDArray[Any]) -> Term:
    return Term(*map(torch.from_numpy, factors))


def _digest(part: Tensor) -> str:
    flat = part.detach().to("cpu").contiguous()
    content = hashlib.sha256(f"{flat.dtype}{list(flat.shape)}".encode())
    content.update(flat.view(torch.uint8).numpy().data)
    return content.hexdigest()
