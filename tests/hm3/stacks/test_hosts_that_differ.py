"""Sources that differ in rows or scalars: scored, assembled and exported, a stack is the same model."""

import shutil

import pytest
import torch
from safetensors.torch import load_file

from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.errors import CheckpointError
from hm3.stacks import assemble, stack_config
from tests.stack_ways import bank_of, log_likelihoods, recipe_of, reload, scored, token_rows
from tests.tiny import edit_config, write_checkpoint, write_tokenizer

MIXED = ("a0", "b1", "b1", "a2", "b3")
MOE = {"num_experts": 4, "moe_intermediate_size": 16, "num_experts_per_tok": 2}


def source(folder, name, *, rows=128, tokens=128, family="llama", seed=0, tied=False, **settings):
    """A source of random gains with so many rows, whose tokenizer has so many tokens."""
    shape = {"family": family, "tied": tied, "dtype": torch.float32, "settings": {"vocab_size": rows, **settings}}
    raw = write_checkpoint(folder / f"raw {name}", seed=seed, tokenizer=False, **shape)
    path = write_checkpoint(folder / name, near=raw, noise=0.1, seed=seed + 50, tokenizer=False, **shape)
    edit_config(path, **{**settings, "vocab_size": rows})
    write_tokenizer(path, vocabulary=tokens)
    return Checkpoint.open(name, path)


def three_ways(sources, recipe, folder):
    """Log-likelihoods without a model, of the assembled model, and of the exported one."""
    rows, bank = token_rows(), bank_of(sources)
    reloaded = reload(sources, recipe, folder)
    assert not reloaded.report["missing_keys"]
    assert not reloaded.report["unexpected_keys"]
    assert not reloaded.report["mismatched_keys"]
    models = (assemble(recipe, bank), reloaded.model)
    return (scored(bank, recipe, rows), *(log_likelihoods(model, rows) for model in models))


def assert_alike(ways):
    without_a_model, assembled, exported = ways
    assert without_a_model == pytest.approx(assembled, abs=1e-5)
    assert without_a_model == pytest.approx(exported, abs=1e-5)
    return without_a_model


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize(("hosts", "rows"), [("aa", 128), ("ab", 128), ("ba", 128), ("bb", 160)])
def test_padded_vocabularies(tmp_path, tied, hosts, rows):
    """Of two hosts the shorter decides."""
    sources = {"a": source(tmp_path, "a", tied=tied), "b": source(tmp_path, "b", rows=160, seed=1, tied=tied)}
    assert check_compatible(list(sources.values())) == []
    recipe = recipe_of(sources, MIXED, *hosts)
    assert_alike(three_ways(sources, recipe, tmp_path / "model"))
    written = Checkpoint.open("written", tmp_path / "model")
    check_loading(written)
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert written.config["vocab_size"] == len(weights["model.embed_tokens.weight"]) == rows
    embedding = sources[hosts[0]].tensor("model.embed_tokens.weight")
    assert torch.equal(weights["model.embed_tokens.weight"], embedding[:rows])


def test_a_head_without_rows_for_the_tokens_is_refused(tmp_path):
    sources = {"a": source(tmp_path, "a"), "b": source(tmp_path, "b", rows=160, tokens=140, seed=1)}
    with pytest.raises(CheckpointError) as caught:
        stack_config(recipe_of(sources, MIXED, "b", "a"), sources)
    assert str(caught.value) == (
        "source b: vocab_size of a at least the tokens of b's tokenizer, 140 (the last is '<extra40>'), got 128"
    )
    assert stack_config(recipe_of(sources, MIXED, "a", "b"), sources)["vocab_size"] == 128


ROPE = {"rope_parameters": {"rope_theta": 50.0, "rope_type": "default"}}
YARN = {"rope_theta": 50.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
DIFFERENT = {
    "rotary base": ("llama", ROPE),
    "rotary base as transformers 4 has it": ("qwen2", {"rope_theta": 50.0, "rope_parameters": None}),
    "rotary scaling": ("llama", {"rope_parameters": YARN}),
    "norm epsilon": ("llama", {"rms_norm_eps": 0.5}),
    "window": ("mistral", {"sliding_window": 3}),
    "caps": ("gemma2", {"attn_logit_softcapping": 0.5, "final_logit_softcapping": 1.0}),
    "query scale": ("gemma2", {"query_pre_attn_scalar": 1}),
    "GPT-NeoX's rotary share": (
        "gpt_neox",
        {"rope_parameters": {"rope_theta": 50.0, "partial_rotary_factor": 0.5, "rope_type": "default"}},
    ),
    "GPT-2's norm epsilon": ("gpt2", {"layer_norm_epsilon": 0.5}),
    "experts in use": ("qwen3_moe", {"num_experts_per_tok": 3}),
}
SHAPES = {"qwen3_moe": MOE}


@pytest.mark.parametrize("case", DIFFERENT)
def test_the_host_s_scalars_hold_for_every_layer(tmp_path, case):
    family, changes = DIFFERENT[case]
    shape = SHAPES.get(family, {})
    a = source(tmp_path, "a", family=family, **shape)
    b = source(tmp_path, "b", family=family, seed=1, **{**shape, **changes})
    sources = {"a": a, "b": b}
    with pytest.raises(CheckpointError, match="on_mismatch=host would use the host's for every layer"):
        check_compatible([a, b])
    assert check_compatible([a, b], "host")
    hosts = {host: recipe_of(sources, MIXED, host, "a") for host in "ab"}
    scores = {host: assert_alike(three_ways(sources, hosts[host], tmp_path / f"hosted by {host}")) for host in "ab"}
    twin = tmp_path / "twin"  # the second host's weights at the first one's scalars
    shutil.copytree(a.path, twin)
    shutil.copy(b.path / "model.safetensors", twin)
    twins = {"a": a, "b": Checkpoint.open("b", twin)}
    other = assert_alike(three_ways(twins, recipe_of(twins, MIXED, "b", "a"), tmp_path / "other"))
    assert scores["b"] != pytest.approx(other, abs=1e-3)
