"""Low-rank terms: what is added to a weight matrix, kept apart from the matrix."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention


class LowRank(NamedTuple):
    """A matrix (c, d) of rank at most r, as a product.

    Attributes:
        left: (c, r)
        right: (r, d)
    """

    left: Tensor
    right: Tensor

    def dense(self) -> Tensor:
        """(c, d) the matrix itself."""
        return self.left @ self.right


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None, term: LowRank | None) -> Tensor:
    """The product with ``weight + term``, whose sum is never made.

    Args:
        inputs: (…, d)
        weight: (c, d)
        bias: (c,) or None
        term: (c, d) or None

    Returns:
        (…, c) in new memory.
    """
    outputs = F.linear(inputs, weight, bias)
    if term is not None:
        inner = F.linear(inputs, term.right)
        outputs.view(-1, outputs.shape[-1]).addmm_(inner.view(-1, inner.shape[-1]), term.left.mT)
    return outputs
