"""The pieces that families choose from: norms, embeddings, activations, caps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

Norm = Callable[[Tensor, Tensor, float], Tensor]
"""Of what is normalised, (…, n), a gain, (n,), and an epsilon: the same shape."""

HeadNorm = Callable[[Norm, Tensor, Tensor, float], Tensor]
"""Of a norm, queries or keys, (rows, length, heads, d), a gain and an epsilon: the same shape."""

Embed = Callable[[Tensor, Tensor], Tensor]
"""Of the embedding, (vocabulary, width), and tokens, (rows, length): (rows, length, width) in new memory."""


def rms_norm(hidden: Tensor, gain: Tensor, eps: float) -> Tensor:
    """To a root mean square of 1, times the gain."""
    return F.rms_norm(hidden, gain.shape, gain, eps)


def offset_rms_norm(hidden: Tensor, gain: Tensor, eps: float) -> Tensor:
    """Gemma's: times 1 + gain, all in float32 with one rounding at the end."""
    return F.rms_norm(hidden.float(), gain.shape, 1.0 + gain.float(), eps).type_as(hidden)


def each_head(norm: Norm, heads: Tensor, gain: Tensor, eps: float) -> Tensor:
    """Normalises every head by itself."""
    return norm(heads, gain, eps)


def all_heads(norm: Norm, heads: Tensor, gain: Tensor, eps: float) -> Tensor:
    """Normalises all heads as one vector."""
    return norm(heads.flatten(2), gain, eps).view_as(heads)


def looked_up(embedding: Tensor, tokens: Tensor) -> Tensor:
    """The tokens' rows."""
    return embedding[tokens]


def looked_up_times_root_width(embedding: Tensor, tokens: Tensor) -> Tensor:
    """Gemma's: the tokens' rows times the root of the width, which is rounded to their type first."""
    root = torch.tensor(embedding.shape[1] ** 0.5).to(embedding.dtype)
    return embedding[tokens].mul_(float(root))


def capped(values: Tensor, cap: float) -> Tensor:
    """Values v become cap · tanh(v / cap), in place."""
    return values.div_(cap).tanh_().mul_(cap)


gelu_tanh = partial(F.gelu, approximate="tanh")
