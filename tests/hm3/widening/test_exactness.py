"""A narrow model written at a greater width computes what it did, in stock transformers."""

import dataclasses
import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.widening import plain, write_widened
from tests.tiny_widths import NARROW, WIDE, model, turned

TOKENS = torch.randint(4, 128, (3, 20), generator=torch.Generator().manual_seed(1))
OTHER_SHAPES = {  # of the narrow model, of the wide one
    "same heads": ({}, {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}),
    "larger groups": ({}, {"num_key_value_heads": 2, "head_dim": 8}),
    "no groups, so keys stand twice": ({}, {"num_key_value_heads": 6, "head_dim": 8}),
    "four heads of a group in groups of three": ({"num_key_value_heads": 1}, {"num_key_value_heads": 2}),
    "heads four times as wide": ({}, {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32}),
    "same width": ({}, {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2}),
}


@torch.no_grad()
def logits(path, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype)(TOKENS).logits


def check_equal(narrow, wide, target, stream):
    """Differences are float32's own: these logits are of size 1 to 5."""
    written = write_widened(target, narrow, wide, stream)
    torch.testing.assert_close(logits(written), logits(narrow.path), atol=2e-5, rtol=0)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "qwen3", "smollm3"])
def test_logits_at_the_greater_width_are_the_narrow_models_own(tmp_path, family, tied):
    narrow = model(tmp_path / "narrow", NARROW, family=family, depth=3, tied=tied)
    wide = model(tmp_path / "wide", WIDE, family=family, depth=2, seed=1)
    check_equal(narrow, wide, tmp_path / "plain", plain(32, 48, 3))
    check_equal(narrow, wide, tmp_path / "turned", turned(32, 48, 3))


@pytest.mark.parametrize("family", ["llama", "qwen3"])
@pytest.mark.parametrize("shapes", OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_heads_find_a_place_in_every_shape_with_room(tmp_path, family, shapes):
    small, large = NARROW | shapes[0], WIDE | shapes[1]
    narrow = model(tmp_path / "narrow", small, family=family, depth=2)
    wide = model(tmp_path / "wide", large, family=family, depth=1)
    check_equal(narrow, wide, tmp_path / "widened", turned(32, large["hidden_size"], 2))


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_an_epsilon_as_large_as_the_states_stays_exact(tmp_path, family):
    """The map keeps the mean square that each norm sees, so that one epsilon is right at both widths."""
    narrow = model(tmp_path / "narrow", NARROW, family=family, depth=2, settings={"rms_norm_eps": 0.5})
    small = model(tmp_path / "small", NARROW, family=family, depth=2, settings={"rms_norm_eps": 1e-6})
    wide = model(tmp_path / "wide", WIDE, family=family, depth=1, settings={"rms_norm_eps": 0.5})
    assert (logits(narrow.path) - logits(small.path)).abs().max() > 0.1  # it matters
    check_equal(narrow, wide, tmp_path / "widened", turned(32, 48, 2))


@pytest.mark.parametrize("kind", ["linear", "llama3"])
def test_scaled_rotary_speeds_stay_what_they_were(tmp_path, kind):
    more = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
    rope = {"rope_type": kind, "rope_theta": 500.0, "factor": 4.0, **(more if kind == "llama3" else {})}
    settings = {"rope_parameters": rope}
    narrow = model(tmp_path / "narrow", NARROW, depth=2, settings=settings)
    wide = model(tmp_path / "wide", WIDE, depth=1, settings=settings)
    check_equal(narrow, wide, tmp_path / "widened", turned(32, 48, 2))


def test_biases_of_the_attention_count(tmp_path):
    settings = {"attention_bias": True}
    narrow = model(tmp_path / "narrow", NARROW, depth=2, settings=settings)
    wide = model(tmp_path / "wide", WIDE, depth=1, settings=settings)
    assert narrow.tensor("model.layers.0.self_attn.o_proj.bias").abs().max() > 0.1
    check_equal(narrow, wide, tmp_path / "widened", turned(32, 48, 2))


def test_sliding_windows_stay(tmp_path):
    settings = {"sliding_window": 4}
    narrow = model(tmp_path / "narrow", NARROW, family="mistral", depth=2, settings=settings)
    wide = model(tmp_path / "wide", WIDE, family="mistral", depth=1, settings=settings)
    check_equal(narrow, wide, tmp_path / "widened", turned(32, 48, 2))


def test_the_widened_model_loads_without_missing_and_unexpected_tensors_and_generates(tmp_path):
    narrow = model(tmp_path / "narrow", NARROW, family="qwen2", depth=3, tied=True)
    wide = model(tmp_path / "wide", WIDE, family="qwen2", depth=2)
    written = write_widened(tmp_path / "widened", narrow, wide, turned(32, 48, 3), shard_bytes=50_000)
    assert (written / "model.safetensors.index.json").is_file()
    stock, report = AutoModelForCausalLM.from_pretrained(written, dtype=torch.float32, output_loading_info=True)
    assert not any(report.values())
    assert stock.config.num_hidden_layers == 3
    assert stock.config.hidden_size == 48
    ours, theirs = (
        each.generate(TOKENS[:1], max_new_tokens=12, do_sample=False)
        for each in (stock, AutoModelForCausalLM.from_pretrained(narrow.path))
    )
    assert ours.tolist() == theirs.tolist()


def test_what_the_widening_adds_can_be_counted_by_hand(tmp_path):
    """A layer has what a wide one has; embedding and head are vocabulary times width, tied no more."""
    narrow = model(tmp_path / "narrow", NARROW, depth=1, tied=True)
    wide = model(tmp_path / "wide", WIDE, depth=1)
    widened = Checkpoint.open("w", write_widened(tmp_path / "widened", narrow, wide, plain(32, 48, 1)))
    numbers = {name: entry.shape for name, entry in widened.tensors.items()}
    assert sum(torch.Size(shape).numel() for shape in numbers.values()) == (
        2 * 128 * 48  # embedding and head
        + 2 * 48 * (6 * 16)  # queries and the output projection
        + 2 * 48 * (3 * 16)  # keys and values
        + 3 * 48 * 72  # the MLP
        + 3 * 48  # norms
    )
    assert "lm_head.weight" not in narrow.tensors


def test_each_norm_has_the_gain_of_its_own_layer(tmp_path):
    narrow, wide = model(tmp_path / "narrow", NARROW, depth=2), model(tmp_path / "wide", WIDE, depth=1)
    stream = dataclasses.replace(plain(32, 48, 2), gains=(2.0, 3.0, 5.0))
    widened = Checkpoint.open("w", write_widened(tmp_path / "widened", narrow, wide, stream))
    gains = {name: widened.tensor(name).unique().tolist() for name in widened.tensors if "norm" in name}
    assert gains == {
        "model.layers.0.input_layernorm.weight": [2.0],
        "model.layers.0.post_attention_layernorm.weight": [2.0],
        "model.layers.1.input_layernorm.weight": [3.0],
        "model.layers.1.post_attention_layernorm.weight": [3.0],
        "model.norm.weight": [5.0],
    }


def test_a_type_that_rounds_is_rounded_once(tmp_path):
    """What is written is the exact product in the source's type."""
    narrow = model(tmp_path / "narrow", NARROW, depth=1, dtype=torch.bfloat16)
    wide, stream = model(tmp_path / "wide", WIDE, depth=1), turned(32, 48, 1)
    widened = Checkpoint.open("w", write_widened(tmp_path / "widened", narrow, wide, stream))
    name, gain = "model.layers.0.mlp.up_proj.weight", "model.layers.0.post_attention_layernorm.weight"
    exact = (narrow.tensor(name).double() * narrow.tensor(gain).double()) @ stream.basis.T / (48 / 32) ** 0.5
    assert torch.equal(widened.tensor(name)[:48], exact.bfloat16())
    assert not widened.tensor(name)[48:].any()


def test_the_folder_says_where_it_came_from(tmp_path):
    narrow, wide = model(tmp_path / "narrow", NARROW, depth=1), model(tmp_path / "wide", WIDE, depth=1)
    written = write_widened(tmp_path / "widened", narrow, wide, plain(32, 48, 1))
    note = json.loads((written / "widening.json").read_text())
    assert note["narrow"] == narrow.digest
    assert note["shape"]["hidden_size"] == 48
    assert (written / "tokenizer.json").read_bytes() == (narrow.path / "tokenizer.json").read_bytes()
