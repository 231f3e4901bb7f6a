"""Rotary position embeddings: the angles that a config asks for, and the turning by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints.settings import settings_of
from hm3.errors import CheckpointError
from hm3.layers.forward import FULL


class Rotary:
    """Turns heads by their position, first half of what is turned against second half.

    Args:
        turns: (length, t / 2) angles; the first t entries of a head are turned, the others stay.
        scale: Factor on cosine and sine.
        device: Where it runs.
        dtype: Of the heads.
    """

    def __init__(self, turns: Tensor, scale: float, device: torch.device, dtype: torch.dtype) -> None:
        self._half = turns.shape[1]
        self._cos = (turns.cos() * scale).to(device=device, dtype=dtype)
        self._sin = (turns.sin() * scale).to(device=device, dtype=dtype)

    def __call__(self, heads: Tensor) -> Tensor:
        """(rows, length, heads, d) to the same shape, in new memory."""
        length, half = heads.shape[1], self._half
        cos, sin = self._cos[:length, None], self._sin[:length, None]
        first, second = heads[..., :half], heads[..., half : 2 * half]
        parts = [first * cos - second * sin, second * cos + first * sin]
        if heads.shape[-1] > 2 * half:
            parts.append(heads[..., 2 * half :])
        return torch.cat(parts, dim=-1)


def angles(
    config: Mapping[str, Any], head_dim: int, length: int, attention: str = FULL, partial: bool = False
) -> tuple[Tensor, float]:
    """Rotary angles (length, t / 2) in float32 and the factor on their cosine and sine.

    Args:
        config: A ``config.json``.
        head_dim: The head's width.
        length: The longest row, in tokens.
        attention: The kind of layer, where each kind has rotary settings of its own.
        partial: Whether the family turns only the share ``partial_rotary_factor`` of a head.

    Raises:
        CheckpointError: They would depend on the sequence at hand.
    """
    settings = settings_of(config)
    rope = settings.rope_parameters
    own = isinstance(rope.get(attention), dict)
    rope = rope[attention] if own else rope
    if rope["rope_type"] == "default":
        share = rope.get("partial_rotary_factor", 1.0) if partial else 1.0
        frequencies, scale = _plain(float(rope["rope_theta"]), int(head_dim * share)), 1.0
    else:
        check_fixed(settings, rope, length)
        frequencies, scale = _scaled(settings, rope["rope_type"], attention if own else None)
    return torch.outer(torch.arange(length, dtype=torch.float32), frequencies), scale


def _plain(base: float, turned: int) -> Tensor:
    return 1.0 / base ** (torch.arange(0, turned, 2, dtype=torch.float32) / turned)


def _scaled(settings: Any, kind: str, attention: str | None) -> tuple[Tensor, float]:
    """The frequencies that transformers computes."""
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    frequencies, scale = ROPE_INIT_FUNCTIONS[kind](settings, layer_type=attention)
    return frequencies, float(scale)


def check_fixed(settings: Any, rope: Mapping[str, Any], length: int) -> None:
    """See that no angle depends on the sequence: two kinds of scaling turn all positions otherwise in a long one.

    Args:
        settings: A config as transformers reads it.
        rope: Its rotary settings.
        length: The longest row, in tokens.

    Raises:
        CheckpointError: Some row is that long.
    """
    limits = {
        "dynamic": getattr(settings, "max_position_embeddings", 0),
        "longrope": rope.get("original_max_position_embeddings", 0),
    }
    kind = rope["rope_type"]
    if length > limits.get(kind, length):
        raise CheckpointError(
            f"rope_parameters: {kind} angles depend on the sequence beyond {limits[kind]} tokens, got rows of {length}"
        )
