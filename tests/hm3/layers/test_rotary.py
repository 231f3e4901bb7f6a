"""Angles are those of transformers' own rotary modules; where they would depend on the text, rows must be short."""

import pytest
import torch
from transformers import AutoConfig
from transformers.models.gemma3.modeling_gemma3 import Gemma3RotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

from hm3.errors import CheckpointError
from hm3.layers import Decoder
from hm3.layers.rotary import Rotary, angles

CPU = torch.device("cpu")
SHAPE = {"num_attention_heads": 4, "hidden_size": 32, "num_hidden_layers": 4, "max_position_embeddings": 128}
LONG = {
    "rope_type": "longrope",
    "rope_theta": 500.0,
    "short_factor": [1.0, 2.0, 3.0, 4.0],
    "long_factor": [9.0, 8.0, 7.0, 6.0],
}
ROPES = {
    "v4": {"rope_theta": 500.0},
    "v4 default": {},
    "linear": {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}},
    "v4 llama3": {
        "rope_theta": 500.0,
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "yarn": {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 500.0}},
    "dynamic": {"rope_parameters": {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 500.0}},
}


def theirs(module, length, **options):
    """(length, d): cosines, then sines."""
    cos, sin = module(torch.zeros(1), torch.arange(length)[None], **options)
    return torch.cat([cos, sin], dim=-1)[0]


def ours(config, length, head_dim=8, **options):
    turns, scale = angles(config, head_dim, length, **options)
    turns = torch.cat([turns, turns], dim=-1)
    return torch.cat([turns.cos(), turns.sin()], dim=-1) * scale


@pytest.mark.parametrize("rope", ROPES)
def test_angles_are_those_of_transformers(rope):
    config = {"model_type": "llama", **SHAPE, **ROPES[rope]}
    expected = theirs(LlamaRotaryEmbedding(AutoConfig.for_model(**config)), 100)
    torch.testing.assert_close(ours(config, 100), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("attention", ["full_attention", "sliding_attention"])
@pytest.mark.parametrize(
    "rope",
    [
        {"rope_theta": 5000.0, "rope_local_base_freq": 50.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
        {"rope_parameters": {"full_attention": {"rope_theta": 900.0}, "sliding_attention": {"rope_theta": 30.0}}},
    ],
    ids=["v4", "v5"],
)
def test_gemma_3_has_angles_for_each_kind_of_layer(rope, attention):
    config = {"model_type": "gemma3_text", **SHAPE, "head_dim": 8, "sliding_window_pattern": 2, **rope}
    module = Gemma3RotaryEmbedding(AutoConfig.for_model(**config))
    expected = theirs(module, 100, layer_type=attention)
    torch.testing.assert_close(ours(config, 100, attention=attention), expected, atol=1e-6, rtol=0)


def test_phi_3_turns_a_part_of_each_head():
    config = {"model_type": "phi3", **SHAPE, "partial_rotary_factor": 0.5, "pad_token_id": 0}
    module = Phi3RotaryEmbedding(AutoConfig.for_model(**config))
    torch.testing.assert_close(ours(config, 9, partial=True), theirs(module, 9), atol=1e-6, rtol=0)
    heads = torch.randn(1, 9, 3, 8)
    turned = Rotary(*angles(config, 8, 9, partial=True), CPU, torch.float32)(heads)
    assert torch.equal(turned[..., 4:], heads[..., 4:])
    assert not torch.isclose(turned[:, 1:, :, :4], heads[:, 1:, :, :4]).any()


@pytest.mark.parametrize("length", [5, 64])
def test_long_rope_is_its_short_one_up_to_the_length_that_was_trained_on(length):
    config = {"model_type": "phi3", **SHAPE, "rope_scaling": LONG, "original_max_position_embeddings": 64}
    module = Phi3RotaryEmbedding(AutoConfig.for_model(**config, pad_token_id=0))
    torch.testing.assert_close(ours(config | {"pad_token_id": 0}, length), theirs(module, length), atol=1e-6, rtol=0)
    assert not torch.isclose(theirs(module, 65)[:64], theirs(module, 64)).all()  # beyond it is another model


@pytest.mark.parametrize(
    ("rope", "limit"),
    [(LONG | {"original_max_position_embeddings": 64}, 64), (ROPES["dynamic"]["rope_parameters"], 128)],
)
def test_angles_that_would_depend_on_the_text_are_refused(rope, limit):
    config = {"model_type": "llama", **SHAPE, "rope_parameters": rope}
    Decoder(config, limit, CPU, torch.float32)
    rule = f"{rope['rope_type']} angles depend on the sequence beyond {limit} tokens, got rows of {limit + 1}$"
    with pytest.raises(CheckpointError, match=rule):
        Decoder(config, limit + 1, CPU, torch.float32)
