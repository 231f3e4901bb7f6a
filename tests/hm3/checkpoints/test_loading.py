"""A source that stock transformers would not load whole is refused before its weights are read."""

import json
import resource
import shutil
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hm3.checkpoints import Checkpoint, check_loading
from hm3.errors import CheckpointError
from tests.tiny import edit_config, write_checkpoint

GPT2 = {"n_embd": 32, "n_head": 4, "n_layer": 4, "n_positions": 64, "vocab_size": 128}
MOE = {"num_experts": 4, "moe_intermediate_size": 16}
FAMILIES = {
    "llama": {}, "mistral": {}, "qwen2": {}, "qwen3": {}, "phi3": {}, "gemma2": {}, "gemma3_text": {}, "smollm3": {},
    "olmo2": {}, "gpt_neox": {}, "gpt2": GPT2, "mixtral": {"num_local_experts": 4}, "qwen3_moe": MOE,
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("whole"), depth=2)


@pytest.fixture
def copy(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def edit_tensors(folder, edit):
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def refusal(folder):
    with pytest.raises(CheckpointError) as caught:
        check_loading(Checkpoint.open("math", folder))
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"source math ({folder}): ")


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_transformers_wrote_passes(tmp_path, family, tied, capfd):
    path = write_checkpoint(tmp_path, family=family, depth=2, tied=tied, settings=FAMILIES[family], tokenizer=False)
    capfd.readouterr()
    check_loading(Checkpoint.open("math", path))
    assert capfd.readouterr() == ("", "")


def test_tables_that_old_files_keep_pass(copy):
    edit_tensors(copy, lambda t: t.update({"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}))
    check_loading(Checkpoint.open("math", copy))


NORM, QUERY = "model.layers.1.input_layernorm.weight", "model.layers.0.self_attn.q_proj.weight"
TENSORS = {
    "missing": (lambda t: t.pop(NORM), f"every parameter of llama, got no {NORM}"),
    "unexpected": (lambda t: t.update(extra=torch.ones(2)), "parameters of llama only, got extra"),
    "a layer too many": (
        lambda t: t.update({NORM.replace("1", "2"): t[NORM].clone()}),
        "parameters of llama only, got model.layers.2.input_layernorm.weight",
    ),
    "another shape": (
        lambda t: t.update({QUERY: t[QUERY][:16].clone()}),
        f"{QUERY} of the shape that its config implies, [32, 32], got [16, 32]",
    ),
    "no weight's type": (
        lambda t: t.update({NORM: t[NORM].to(torch.int8)}),
        f"{NORM} of type F64, F32, F16, BF16, got I8",
    ),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_not_the_model_s(copy, case):
    edit, told = TENSORS[case]
    assert refusal(edit_tensors(copy, edit)) == told


CONFIGS = {
    "rows": ({"vocab_size": 100}, "lm_head.weight of the shape that its config implies, [100, 32], got [128, 32]"),
    "depth": ({"num_hidden_layers": 1}, "parameters of llama only, got model.layers.1."),
    "width": ({"hidden_size": 64}, "of the shape that its config implies, "),
    "heads": ({"num_attention_heads": 8}, "of the shape that its config implies, [32, 64], got [32, 32]"),
    "activation": ({"hidden_act": "evil"}, "a model that transformers can build, got 'evil'"),
    "rotary": (
        {"rope_parameters": {"rope_type": "evil", "rope_theta": 1e4}},
        "a model that transformers can build, got",
    ),
    "biases": ({"attention_bias": True}, "every parameter of llama, got no model.layers.0.self_attn."),
    "padding": ({"pad_token_id": 10**6}, "a model that transformers can build, got"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_configs_that_are_not_the_tensors(copy, case):
    changes, told = CONFIGS[case]
    assert told in refusal(edit_config(copy, **changes))


def test_no_weight_is_read_and_nothing_is_allocated(tmp_path):
    """A file of 2 GB without content: its holes would be memory as soon as somebody read them."""
    path = write_checkpoint(tmp_path, depth=1, width=64, tokenizer=False)
    tensors = load_file(path / "model.safetensors")
    rows = 2 * 10**9 // (64 * 2)
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    shapes |= {key: [rows // 2, 64] for key in ("model.embed_tokens.weight", "lm_head.weight")}
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * torch.Size(shape).numel()
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with (path / "model.safetensors").open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + at)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_loading(Checkpoint.open("math", edit_config(path, vocab_size=rows // 2)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
