"""Causal attention: products at short lengths; where length² scores would fill the memory, never all at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

SHORT = 512  # tokens up to which the products are faster, and their scores small
STEP = 256  # queries of a long row whose scores exist at the same time, where no kernel does it


class CausalAttention:
    """Attention of every position, or of some, to all positions before it or to a window of them.

    Args:
        length: The longest row, in tokens.
        device: Where it runs.
        dtype: Of queries, keys and values.
        scale: Factor on the scores; None for the inverse root of the head's width.
        window: How many positions are seen, the query's own included; None for all.
        cap: Scores s become cap · tanh(s / cap); None leaves them.
    """

    def __init__(
        self,
        length: int,
        device: torch.device,
        dtype: torch.dtype,
        *,
        scale: float | None = None,
        window: int | None = None,
        cap: float | None = None,
    ) -> None:
        self._scale, self._cap = scale, cap
        self._window = window if window is not None and window < length else None
        places = torch.arange(min(length, SHORT), device=device)
        self._mask = self._hidden(places, places, dtype)

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, slots: Tensor | None = None) -> Tensor:
        """Mixed values, in the shape of the queries.

        Args:
            query: (rows, heads, positions, d).
            key: (rows, kv_heads, length, d).
            value: As `key`.
            slots: (rows, positions) the queries' positions; None for all, in order.
        """
        length, groups = key.shape[2], query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        if length <= SHORT:
            mask = self._mask[:length, :length] if slots is None else self._mask[slots, :length][:, None]
            return self._products(query, key, value, mask)
        if self._window is None and self._cap is None:
            return self._fused(query, key, value, slots)
        return self._in_parts(query, key, value, slots)

    def _products(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        scale = query.shape[-1] ** -0.5 if self._scale is None else self._scale
        scores = torch.matmul(query, key.transpose(-1, -2)).mul_(scale)
        if self._cap is not None:
            scores.div_(self._cap).tanh_().mul_(self._cap)
        return torch.matmul(scores.add_(mask).softmax(dim=-1), value)

    def _fused(self, query: Tensor, key: Tensor, value: Tensor, slots: Tensor | None) -> Tensor:
        if slots is None:
            return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=self._scale)
        before = torch.arange(key.shape[2], device=key.device) <= slots[..., None]
        return F.scaled_dot_product_attention(query, key, value, attn_mask=before[:, None], scale=self._scale)

    def _in_parts(self, query: Tensor, key: Tensor, value: Tensor, slots: Tensor | None) -> Tensor:
        if slots is None:
            slots = torch.arange(key.shape[2], device=key.device)[None]
        parts = zip(torch.split(query, STEP, dim=2), torch.split(slots, STEP, dim=1), strict=True)
        return torch.cat([self._part(some, key, value, places) for some, places in parts], dim=2)

    def _part(self, query: Tensor, key: Tensor, value: Tensor, slots: Tensor) -> Tensor:
        """Queries at `slots`, with no more keys than one of them sees."""
        first = 0 if self._window is None else max(0, int(slots.min()) + 1 - self._window)
        seen = slice(first, int(slots.max()) + 1)
        places = torch.arange(seen.start, seen.stop, device=key.device)
        mask = self._hidden(slots, places, query.dtype)[:, None]
        return self._products(query, key[:, :, seen], value[:, :, seen], mask)

    def _hidden(self, queries: Tensor, keys: Tensor, dtype: torch.dtype) -> Tensor:
        """(…, queries, keys) -inf where a query does not see a key, 0 elsewhere."""
        ahead = keys - queries[..., None]
        hidden = ahead > 0
        if self._window is not None:
            hidden |= ahead <= -self._window
        return torch.zeros(hidden.shape, device=keys.device, dtype=dtype).masked_fill_(hidden, -math.inf)
