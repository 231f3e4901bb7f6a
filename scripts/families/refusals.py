"""Families that are refused, by their own config classes, and what is said."""

from __future__ import annotations

from hm3.errors import CheckpointError
from hm3.layers import family_of

MODEL_TYPES = (
    "gemma3n_text", "gemma4_text", "mamba", "mamba2", "jamba", "falcon_h1", "bamba", "zamba2", "recurrent_gemma",
    "qwen3_next",    "lfm2", "granitemoehybrid", "rwkv", "deepseek_v3", "glm4_moe", "qwen2_vl", "t5", "bert",
)  # fmt: skip


def refusals() -> dict[str, str]:
    """Model type -> the reason, as a user reads it.

    Raises:
        AssertionError: One of them is let pass.
    """
    return {model_type: _refusal(model_type) for model_type in MODEL_TYPES}


def _refusal(model_type: str) -> str:
    from transformers import CONFIG_MAPPING

    try:
        family_of("x", CONFIG_MAPPING[model_type]().to_dict())
    except CheckpointError as error:
        return str(error).partition(f"got {model_type!r}: ")[2] or str(error)
    raise AssertionError(f"{model_type} is let pass")
