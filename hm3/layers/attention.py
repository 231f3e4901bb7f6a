"""Causal attention: batched products at short lengths, a fused kernel where length² scores would fill the memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

SHORT = 512  # tokens up to which the products are faster, and their scores small


class CausalAttention:
    """Attention of every position, or of some, to all positions before it.

    Args:
        length: The longest row, in tokens.
        device: Where it runs.
        dtype: Of queries, keys and values.
    """

    def __init__(self, length: int, device: torch.device, dtype: torch.dtype) -> None:
        side = min(length, SHORT)
        self._mask = torch.full((side, side), -math.inf, device=device, dtype=dtype).triu(1)

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, slots: Tensor | None = None) -> Tensor:
        """Mixed values, in the shape of the queries.

        Args:
            query: (rows, heads, positions, d).
            key: (rows, kv_heads, length, d).
            value: As `key`.
            slots: (rows, positions) the queries' positions; None for all, in order.
        """
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        attend = _fused if key.shape[2] > SHORT else self._products
        return attend(query, key, value, slots)

    def _products(self, query: Tensor, key: Tensor, value: Tensor, slots: Tensor | None) -> Tensor:
        length = key.shape[2]
        mask = self._mask[:length, :length] if slots is None else self._mask[slots, :length][:, None]
        weights = torch.matmul(query, key.transpose(-1, -2)).mul_(query.shape[-1] ** -0.5).add_(mask)
        return torch.matmul(weights.softmax(dim=-1), value)


def _fused(query: Tensor, key: Tensor, value: Tensor, slots: Tensor | None) -> Tensor:
    if slots is None:
        return F.scaled_dot_product_attention(query, key, value, is_causal=True)
    before = torch.arange(key.shape[2], device=key.device) <= slots[..., None]
    return F.scaled_dot_product_attention(query, key, value, attn_mask=before[:, None])
