"""Rotary position embeddings: the angles that a config asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hm3.errors import CheckpointError


def angles(config: Mapping[str, Any], head_dim: int, length: int) -> tuple[Tensor, float]:
    """Rotary angles (length, d / 2) in float32 and the factor on their cosine and sine.

    Raises:
        CheckpointError: They would depend on the sequence at hand.
    """
    frequencies, scale = _frequencies(config, head_dim)
    return torch.outer(torch.arange(length, dtype=torch.float32), frequencies), scale


def _frequencies(config: Mapping[str, Any], head_dim: int) -> tuple[Tensor, float]:
    """Rotary frequencies (d / 2,); scaled variants come from transformers, imported only where they are used."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        base = float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0)
        return 1.0 / base ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim), 1.0
    if kind in ("dynamic", "longrope"):  # these depend on the length of the sequence at hand
        raise CheckpointError(f"rope_parameters: rope_type must not depend on the sequence, got {kind!r}")
    from transformers import AutoConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    known = {key: value for key, value in config.items() if key != "model_type"}
    frequencies, scale = ROPE_INIT_FUNCTIONS[kind](AutoConfig.for_model(config["model_type"], **known))
    return frequencies, float(scale)
