"""The data-free losses: how far the merged model is from each expert, as a share of the base's distance.

``f_k(w) = sum |W(w) - W_k|^2 / sum |W_base - W_k|^2`` over the weight matrices of the layers (Chen and Kwok 2025).

With ``C = sum_k w_k G_k`` and ``D_k = W_k - W_base`` the distance in a matrix is

    |A C B^T - D_k|^2 = <C, A^T A C B^T B> - 2 <C, A^T D_k B> + |D_k|^2,

so that a step needs ``D_k B`` and ``D_k^T A`` once for each expert, however many preferences it takes, and reads every
matrix once: these thin products also give the gradient when the totals over all matrices, on which smooth Tchebycheff
depends, are known. They are float32; whatever is small, and every sum, is float64, so that a loss is wrong by about
1e-7 where the three terms cancel.

Memory beside the mapped models, in float32: K + 1 times the largest matrix, and for every matrix r (c + d) numbers, K
times for these products and five times for factors, gradient, Adam's moments and the best so far.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.matrices import Differences
from hm3.parameter.pareto.scalarisation import Scalarisation
from hm3.parameter.pareto.tensor import Term


class DataFree:
    """Squared distances to the experts.

    Args:
        differences: Of the K experts from the base.
    """

    state: Any = None  # nothing is drawn

    def __init__(self, differences: Differences) -> None:
        self._differences = differences
        self.experts = differences.experts

    @torch.no_grad()
    def losses(self, factors: Factors, weights: Tensor) -> Tensor:
        """The losses (n, K) at weights (n, K), float64; a matrix at a time."""
        weights = weights.double()
        excess = sum(products.excess(weights) for products in self._products(factors))
        return 1 + excess / self._differences.totals

    @torch.no_grad()
    def backward(self, factors: Factors, weights: Tensor, scalarisation: Scalarisation) -> Tensor:
        """Add the gradient of the scalarised losses' mean to the factors' `.grad`; the losses (n, K)."""
        weights, totals = weights.double(), self._differences.totals
        products = list(self._products(factors))
        losses: Tensor = 1 + sum(each.excess(weights) for each in products) / totals
        slopes = scalarisation.gradient(losses, weights) / (totals * len(weights))
        for name, each in zip(factors.names, products, strict=True):
            term = factors.term(name)
            _add(term, each.gradient(term, weights, slopes))
        return losses

    def _products(self, factors: Factors) -> Iterator[_Products]:
        return (_Products.of(factors.term(name), self._differences.of(name)) for name in factors.names)


class _Products(NamedTuple):
    """What a step needs of one matrix (c, d): thin products, and small ones in float64.

    Attributes:
        rights: D_k B, (K, c, r)
        lefts: D_k^T A, (K, d, r)
        inner: A^T D_k B, (K, r, r)
        left_gram: A^T A, (r, r)
        right_gram: B^T B, (r, r)
        core: G with the experts first, (K, r, r)
    """

    rights: Tensor
    lefts: Tensor
    inner: Tensor
    left_gram: Tensor
    right_gram: Tensor
    core: Tensor

    @classmethod
    def of(cls, term: Term, differences: Tensor) -> _Products:
        rights = torch.stack([each @ term.right for each in differences])
        lefts = torch.stack([(term.left.mT @ each).mT for each in differences])  # turned itself, it would be copied
        left, right = term.left.double(), term.right.double()
        core = term.core.double().permute(2, 0, 1)
        return cls(rights, lefts, left.mT @ rights.double(), left.mT @ left, right.mT @ right, core)

    def excess(self, weights: Tensor) -> Tensor:
        """(n, K) by how much the squared distance to each expert exceeds the base's: below 0 where it is nearer."""
        cores = self._cores(weights)
        squares = (cores * (self.left_gram @ cores @ self.right_gram)).sum((1, 2))
        return squares[:, None] - 2 * torch.einsum("nij,kij->nk", cores, self.inner)

    def gradient(self, term: Term, weights: Tensor, slopes: Tensor) -> Term:
        """The gradient of ``sum_nk slopes_nk excess_nk`` in the factors, as a term."""
        cores, each = self._cores(weights), slopes.sum(1)[:, None, None]  # C_n, (n, r, r)
        by_core = 2 * each * (self.left_gram @ cores @ self.right_gram) - 2 * torch.einsum(
            "nk,kij->nij", slopes, self.inner
        )
        by_left_gram = (each * (cores @ self.right_gram @ cores.mT)).sum(0)
        by_right_gram = (each * (cores.mT @ self.left_gram @ cores)).sum(0)
        by_inner = -2 * torch.einsum("nk,nij->kij", slopes, cores)
        return Term(
            2 * term.left.double() @ by_left_gram + (self.rights.double() @ by_inner.mT).sum(0),
            torch.einsum("nk,nij->ijk", weights, by_core),
            2 * term.right.double() @ by_right_gram + (self.lefts.double() @ by_inner).sum(0),
        )

    def _cores(self, weights: Tensor) -> Tensor:
        return torch.einsum("nk,kij->nij", weights, self.core)


def _add(term: Term, gradient: Term) -> None:
    for leaf, added in zip(
        (term.left, term.core, term.right), (gradient.left, gradient.core, gradient.right), strict=True
    ):
        leaf.grad = added.to(leaf) if leaf.grad is None else leaf.grad.add_(added)
