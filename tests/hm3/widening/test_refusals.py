"""What has no room at a wide shape, or would not be the same there, is refused in one line with both values."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, OutputError
from hm3.widening import check_room, plain, write_widened
from hm3.widening.shape import Shape
from tests.tiny import edit_config, write_checkpoint
from tests.tiny_widths import NARROW, WIDE

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": 500.0}


def source(folder, shape, **rest):
    return Checkpoint.open(folder.name, write_checkpoint(folder, depth=1, settings=shape, **rest))


@pytest.fixture
def wide(tmp_path):
    return source(tmp_path / "wide", WIDE)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ({"hidden_size": 64}, "hidden_size at most that of wide, 48, got 64"),
        ({"intermediate_size": 80}, "intermediate_size at most that of wide, 72, got 80"),
        ({"num_attention_heads": 4, "num_key_value_heads": 4}, "num_key_value_heads at most that of wide, 3, got 4"),
        (
            {"num_attention_heads": 8, "num_key_value_heads": 2},
            r"num_key_value_heads \(2 times each: 4 query heads share one, there 2\) at most that of wide, 3, got 4",
        ),
        ({"head_dim": 32}, "head_dim must divide that of wide, 16, got 32"),
        ({"head_dim": 6}, "head_dim must divide that of wide, 16, got 6"),
        ({"hidden_act": "gelu"}, "hidden_act must equal that of wide, 'silu', got 'gelu'"),
        ({"attention_bias": True}, "attention_bias must equal that of wide, False, got True"),
        ({"rope_parameters": YARN}, r"rotary pairs that turn alike in heads of 16, pair \d at .*, got .*"),
    ],
)
def test_a_shape_without_room_is_refused(tmp_path, wide, shape, reason):
    narrow = source(tmp_path / "narrow", NARROW | shape)
    with pytest.raises(CheckpointError, match=f"^source narrow: {reason}") as caught:
        write_widened(tmp_path / "out", narrow, wide, plain(32, 48, 1))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("family", ["gemma2", "olmo2", "phi3", "gpt_neox"])
def test_families_whose_stream_no_map_passes_are_refused(tmp_path, wide, family):
    narrow = source(tmp_path / "narrow", NARROW, family=family)
    with pytest.raises(
        CheckpointError, match=rf"^source narrow: .*\(llama, mistral, qwen2, qwen3, smollm3\), got '{family}'"
    ):
        check_room(narrow, wide)


def test_two_families_are_refused(tmp_path, wide):
    narrow = source(tmp_path / "narrow", NARROW, family="qwen2")
    with pytest.raises(CheckpointError, match="model_type must equal that of wide, 'llama', got 'qwen2'"):
        check_room(narrow, wide)


def test_another_tokenizer_is_refused(tmp_path, wide):
    narrow = source(tmp_path / "narrow", NARROW)
    file = narrow.path / "tokenizer.json"
    file.write_text(file.read_text().replace('"a":', '"swap":').replace('"b":', '"a":').replace('"swap":', '"b":'))
    with pytest.raises(CheckpointError, match=r"^source narrow: tokenizer"):
        check_room(narrow, wide)


def test_scalars_that_differ_are_said(tmp_path, wide):
    """The widened model keeps its own; whether a stack may use the host's is the run's question."""
    narrow = source(tmp_path / "narrow", NARROW | {"rms_norm_eps": 0.125})
    (warning,) = check_room(narrow, wide)
    assert warning.startswith("source narrow: rms_norm_eps must equal that of wide, 1e-06, got 0.125")
    written = write_widened(tmp_path / "out", narrow, wide, plain(32, 48, 1))
    assert Checkpoint.open("out", written).config["rms_norm_eps"] == 0.125


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("hidden_size", None, "hidden_size, got none"),
        ("intermediate_size", None, "intermediate_size, got none"),
        ("num_attention_heads", None, "num_attention_heads, got none"),
        ("head_dim", 7, "head_dim even, got 7"),
    ],
)
def test_a_config_without_a_shape_is_refused(tmp_path, field, value, reason):
    folder = write_checkpoint(tmp_path / "narrow", depth=1, settings=NARROW)
    narrow = Checkpoint.open("narrow", edit_config(folder, **{field: value}))
    with pytest.raises(CheckpointError, match=f"^source narrow: .*{reason}"):
        Shape.of(narrow)


def without(name):
    return lambda tensors: tensors.pop(name)


def with_another(name, *shape):
    return lambda tensors: tensors.update({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without("model.norm.weight"), "a tensor model.norm.weight, got none"),
        (without("model.layers.0.mlp.up_proj.weight"), "a tensor model.layers.0.mlp.up_proj.weight, got none"),
        (with_another("model.norm.weight", 31), r"model.norm.weight of its config's shape, \[32\], got \[31\]"),
        (
            with_another("model.layers.0.self_attn.k_proj.weight", 32, 32),
            r"self_attn.k_proj.weight of its config's shape, \[16, 32\], got \[32, 32\]",
        ),
        (
            with_another("model.layers.0.mlp.up_proj.bias", 48),
            "a plain decoder only, got .*mlp.up_proj.bias",
        ),
        (with_another("model.layers.1.input_layernorm.weight", 32), "plain decoder only, got model.layers.1.input"),
        (with_another("score.weight", 2, 32), "plain decoder only, got score.weight"),
    ],
)
def test_tensors_that_the_config_does_not_promise_are_refused(tmp_path, wide, damage, reason):
    file = source(tmp_path / "narrow", NARROW).path / "model.safetensors"
    tensors = load_file(file)
    damage(tensors)
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=f"^source narrow: .*{reason}"):
        write_widened(tmp_path / "out", Checkpoint.open("narrow", file.parent), wide, plain(32, 48, 1))
    assert not (tmp_path / "out").exists()


def test_rotary_tables_of_old_files_are_left_out(tmp_path, wide):
    file = source(tmp_path / "narrow", NARROW).path / "model.safetensors"
    old = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}
    save_file(load_file(file) | old, file, metadata={"format": "pt"})
    narrow = Checkpoint.open("narrow", file.parent)
    written = Checkpoint.open("out", write_widened(tmp_path / "out", narrow, wide, plain(32, 48, 1)))
    assert not any("inv_freq" in name for name in written.tensors)


def test_neither_source_is_written_to(tmp_path, wide):
    narrow = source(tmp_path / "narrow", NARROW)
    for path in (narrow.path, wide.path):
        with pytest.raises(OutputError):
            write_widened(path, narrow, wide, plain(32, 48, 1))


# Shapes as published: width, query heads, key and value heads, head width, inner width.
PUBLISHED = {
    "Qwen2.5-0.5B": (896, 14, 2, 64, 4864),
    "Qwen2.5-1.5B": (1536, 12, 2, 128, 8960),
    "Qwen2.5-3B": (2048, 16, 2, 128, 11008),
    "Qwen2.5-7B": (3584, 28, 4, 128, 18944),
    "Llama-3.2-1B": (2048, 32, 8, 64, 8192),
    "Llama-3.2-3B": (3072, 24, 8, 128, 8192),
    "Llama-3.1-8B": (4096, 32, 8, 128, 14336),
    "Qwen3-0.6B": (1024, 16, 8, 128, 3072),
    "Qwen3-4B": (2560, 32, 8, 128, 9728),
}


@pytest.mark.parametrize(
    ("small", "large", "reason"),
    [
        ("Qwen2.5-0.5B", "Qwen2.5-3B", None),
        ("Qwen2.5-0.5B", "Qwen2.5-1.5B", r"2 times each: 7 query heads share one, there 6\) at most .* 2, got 4"),
        ("Qwen2.5-1.5B", "Qwen2.5-7B", None),
        ("Qwen2.5-3B", "Qwen2.5-7B", None),
        ("Llama-3.2-1B", "Llama-3.1-8B", None),
        ("Llama-3.2-1B", "Llama-3.2-3B", r"2 times each: 4 query heads share one, there 3\) at most .* 8, got 16"),
        ("Llama-3.2-3B", "Llama-3.1-8B", None),
        ("Qwen3-0.6B", "Qwen3-4B", None),
    ],
)
def test_published_shapes_fit_as_the_docs_say(tmp_path, small, large, reason):
    tiny = source(tmp_path / "tiny", NARROW)

    def published(name):
        width, heads, kv_heads, head_dim, inner = PUBLISHED[name]
        return dataclasses.replace(
            tiny, name=name, config={**tiny.config, **Shape(width, heads, kv_heads, head_dim, inner).fields}
        )

    if reason is None:
        assert check_room(published(small), published(large)) == []
    else:
        with pytest.raises(CheckpointError, match=reason):
            check_room(published(small), published(large))
