"""Why some families cannot be stacked: their layers do not stand alone. Known by name, or by what a config says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hm3.layers.forward import FULL, SLIDING

SHARED = "layers read keys and values, or embeddings, that are kept for other layers: apart they compute something else"
RECURRENT = "layers carry a recurrent state along the text: there are no keys and values to stack"
HYBRID = "layers of attention and layers with a recurrent state alternate: they cannot take each other's places"
SEVERAL = "it has layers that predict further tokens from what its own last layer gives, and a stack has another"
WRAPPER = "it wraps a language model into one that sees or hears: save the text model alone, that checkpoint has layers"
TWO_SIDED = "it has an encoder and a decoder: layers of one read what the other gives"
ENCODER = "it is an encoder, and gives no likelihood of a text"

_NAMED = {
    SHARED: "gemma3n gemma3n_text gemma4 gemma4_text",
    RECURRENT: "mamba mamba2 falcon_mamba rwkv xlstm",
    HYBRID: "jamba falcon_h1 bamba zamba zamba2 recurrent_gemma qwen3_next qwen3_5 qwen3_5_text qwen3_5_moe"
    " qwen3_5_moe_text lfm2 lfm2_moe granitemoehybrid nemotron_h minimax kimi_linear olmo_hybrid",
    SEVERAL: "deepseek_v3 glm4_moe",
    WRAPPER: "gemma3 llava llama4 mistral3 mllama paligemma qwen2_vl qwen2_5_vl qwen3_vl",
    TWO_SIDED: "t5 mt5 umt5 bart mbart pegasus marian whisper",
    ENCODER: "bert roberta distilbert electra albert deberta deberta-v2 xlm-roberta modernbert",
}
_REASONS = {model_type: reason for reason, names in _NAMED.items() for model_type in names.split()}
_ATTENTION = (FULL, SLIDING, "chunked_attention")  # layers that keep keys and values


class Obstacle(NamedTuple):
    """What stands in the way of stacking.

    Attributes:
        field: The config's field that says so.
        reason: Why.
    """

    field: str
    reason: str


def _foreign(entries: Any) -> bool:
    return isinstance(entries, list) and any(entry not in _ATTENTION for entry in entries)


_TELLING: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("num_kv_shared_layers", bool, SHARED),
    ("layer_types", _foreign, HYBRID),
    ("num_nextn_predict_layers", bool, SEVERAL),
    ("vision_config", bool, WRAPPER),
    ("audio_config", bool, WRAPPER),
    ("text_config", bool, WRAPPER),
    ("is_encoder_decoder", bool, TWO_SIDED),
)
_RECURRENT_FIELDS = ("mamba_", "ssm_")


def obstacle(config: Mapping[str, Any]) -> Obstacle | None:
    """What keeps the layers of a model from being stacked; None where nothing is known to.

    Args:
        config: The model's ``config.json``, of any family.
    """
    model_type = config.get("model_type")
    if model_type in _REASONS:
        return Obstacle("model_type", _REASONS[model_type])
    for field, tells, reason in _TELLING:
        if tells(config.get(field)):
            return Obstacle(field, reason)
    recurrent = next((field for field in config if field.startswith(_RECURRENT_FIELDS)), None)
    return None if recurrent is None else Obstacle(recurrent, HYBRID)
