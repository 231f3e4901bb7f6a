"""Models whose layers do not stand alone are refused with the reason, by their name or by what their config says."""

import pytest
from transformers import CONFIG_MAPPING

from hm3.errors import CheckpointError
from hm3.layers import FAMILIES, family_of
from hm3.layers.refusals import obstacle

REASONS = {
    "kept for other layers": ("gemma3n", "gemma3n_text", "gemma4_text"),
    "recurrent state along the text": ("mamba", "mamba2", "rwkv"),
    "attention and layers with a recurrent state alternate": (
        *("jamba", "falcon_h1", "bamba", "zamba", "zamba2", "recurrent_gemma", "qwen3_next", "lfm2"),
        *("granitemoehybrid", "nemotron_h", "minimax"),
    ),
    "layers that predict further tokens": ("deepseek_v3", "glm4_moe"),
    "save the text model alone": ("gemma3", "qwen2_vl", "qwen3_vl", "llava", "mistral3"),
    "an encoder and a decoder": ("t5", "bart"),
    "is an encoder": ("bert", "roberta"),
}


def refusal(config):
    with pytest.raises(CheckpointError) as refused:
        family_of("x", config)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(("reason", "model_type"), [(why, name) for why, names in REASONS.items() for name in names])
def test_a_family_with_shared_state_is_refused_with_its_reason(reason, model_type):
    message = refusal(CONFIG_MAPPING[model_type]().to_dict())
    assert message.startswith(f"source x: model_type of a decoder whose layers stand alone, got '{model_type}': ")
    assert reason in message


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("num_kv_shared_layers", 15, "kept for other layers"),
        ("layer_types", ["full_attention", "linear_attention"], "recurrent state alternate"),
        ("layer_types", ["mamba", "full_attention"], "recurrent state alternate"),
        ("mamba_d_state", 16, "recurrent state alternate"),
        ("ssm_state_size", 16, "recurrent state alternate"),
        ("num_nextn_predict_layers", 1, "predict further tokens"),
        ("vision_config", {"hidden_size": 8}, "save the text model alone"),
        ("text_config", {"hidden_size": 8}, "save the text model alone"),
        ("is_encoder_decoder", True, "an encoder and a decoder"),
    ],
)
@pytest.mark.parametrize("model_type", ["llama", "unheard_of"])
def test_a_config_that_tells_of_shared_state_is_refused_whatever_its_family(model_type, field, value, reason):
    message = refusal({"model_type": model_type, field: value})
    assert message.startswith(f"source x: {field} of a decoder whose layers stand alone, got {value!r}: ")
    assert reason in message


def test_an_unknown_family_that_tells_nothing_is_refused_for_want_of_a_row():
    assert refusal({"model_type": "unheard_of"}).endswith("qwen2_moe, got 'unheard_of'")


def test_a_long_value_is_cut():
    message = refusal({"model_type": "llama", "layer_types": ["linear_attention"] * 1000})
    assert len(message) < 400


@pytest.mark.parametrize("model_type", list(FAMILIES))
def test_no_family_with_a_row_is_kept_from_stacking_by_what_its_own_config_says(model_type):
    assert obstacle(CONFIG_MAPPING[model_type]().to_dict()) is None
