"""Stacks at the edges: old files, biases, scaled angles, a folder that moved."""

import math
import shutil

import pytest
import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import OutputError
from hm3.model_folder import write_model
from hm3.recipe import Recipe
from hm3.stacks import assemble
from tests.stack_ways import bank_of, greedy_texts, log_likelihoods, open_source, recipe_of, reload, scored, token_rows
from tests.tiny import write_checkpoint


@pytest.fixture
def pair(tmp_path):
    return {name: open_source(tmp_path, name, 3, seed) for seed, name in enumerate("ab")}


def test_the_hosts_generation_settings_hold_in_memory_as_after_export(pair, tmp_path):
    """A repetition penalty changes greedy text; Qwen's chat models come with one."""
    file = pair["a"].path / "generation_config.json"
    file.write_text('{"repetition_penalty": 3.0, "eos_token_id": 2, "pad_token_id": 0}')
    recipe = recipe_of(pair, ("a0", "b1", "a2"), "a", "b")
    exported = reload(pair, recipe, tmp_path / "model").model
    model = assemble(recipe, bank_of(pair))
    assert model.generation_config.repetition_penalty == 3.0
    prompt = torch.tensor([[1, 40, 50, 60]])
    texts = [each.generate(prompt, max_new_tokens=24, do_sample=False).tolist() for each in (model, exported)]
    assert texts[0] == texts[1]


def test_rotary_tables_of_old_files_are_left_out(tmp_path):
    from safetensors.torch import load_file, save_file

    path = write_checkpoint(tmp_path / "old", depth=2)
    weights = load_file(path / "model.safetensors")
    old = weights | {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(4) for i in range(2)}
    save_file(old, path / "model.safetensors", metadata={"format": "pt"})
    source = Checkpoint.open("old", path)
    recipe = Recipe.identity(source.source, 2)
    assert all(map(math.isfinite, scored(bank_of({"old": source}), recipe, token_rows())))
    assert not reload({"old": source}, recipe, tmp_path / "model").report["unexpected_keys"]
    assert set(load_file(tmp_path / "model" / "model.safetensors")) == set(weights)


def biased(depth):
    return {"attention_bias": True, "mlp_bias": True}


def scaled(depth):
    return {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}}


def long_rope(depth):
    factors = {"short_factor": [1.0, 2.0, 3.0, 4.0], "long_factor": [9.0] * 4}
    rope = {"rope_type": "longrope", "rope_theta": 500.0, **factors}
    return {"rope_parameters": rope, "original_max_position_embeddings": 32, "pad_token_id": 0}


def partly_turned(depth):
    rope = {"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 0.5}
    return {"rope_parameters": rope, "pad_token_id": 0}


def some_experts(depth):
    """Layers without experts: one by its index, or by a step the first and the third."""
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
    return experts | ({"mlp_only_layers": [1]} if depth == 4 else {"decoder_sparse_step": 2})


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("llama", biased),
        ("smollm3", biased),
        ("qwen3", lambda depth: {"attention_bias": True}),
        ("qwen3", lambda depth: {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2}),
        ("gemma2", lambda depth: {"attention_bias": True}),
        ("olmo2", lambda depth: {"attention_bias": True, "num_key_value_heads": 4}),
        ("llama", scaled),
        ("gemma3_text", lambda depth: {"rope_scaling": {"rope_type": "linear", "factor": 8.0}}),
        ("gemma3_text", lambda depth: {"attn_logit_softcapping": 0.1, "final_logit_softcapping": 2.0}),
        ("phi3", partly_turned),
        ("phi3", long_rope),
        ("qwen3_moe", some_experts),
        ("mistral", lambda depth: {"sliding_window": None}),
        ("smollm3", lambda depth: {"use_sliding_window": True, "sliding_window": 6, "no_rope_layer_interval": 2}),
    ],
)
def test_what_configs_may_switch_on_counts(tmp_path, family, settings):
    checkpoints = {
        name: open_source(tmp_path, name, depth, depth, family=family, settings=settings(depth))
        for name, depth in (("a", 4), ("b", 3))
    }
    recipe, bank, rows = recipe_of(checkpoints, ("a3", "b1", "a1"), "b"), bank_of(checkpoints), token_rows()
    exported = reload(checkpoints, recipe, tmp_path / "model").model
    found = scored(bank, recipe, rows)
    assert found == pytest.approx(log_likelihoods(assemble(recipe, bank), rows), abs=1e-5)
    assert found == pytest.approx(log_likelihoods(exported, rows), abs=1e-5)


@pytest.mark.parametrize("layers", [("a0", "b2", "b0"), ("a1", "b1")], ids=["sliding", "full"])
@pytest.mark.parametrize("family", ["gemma2", "gemma3_text"])
def test_a_stack_may_have_layers_of_one_kind_only(tmp_path, family, layers):
    """Gemma-3 has rotary settings for each kind."""
    settings = {"sliding_window": 6, "sliding_window_pattern": 2}
    checkpoints = {
        name: open_source(tmp_path, name, depth, depth, family=family, settings=settings)
        for name, depth in (("a", 4), ("b", 3))
    }
    recipe, bank, rows = recipe_of(checkpoints, layers, "b"), bank_of(checkpoints), token_rows()
    exported = reload(checkpoints, recipe, tmp_path / "model").model
    assert len(set(exported.config.layer_types)) == 1
    assert scored(bank, recipe, rows) == pytest.approx(log_likelihoods(exported, rows), abs=1e-5)
    texts = greedy_texts([assemble(recipe, bank), exported])
    assert texts == [texts[0]] * 4


def test_an_export_never_lands_on_a_source(pair):
    recipe = recipe_of(pair, ("a0", "b1"), "a", "a")
    before = (pair["b"].path / "model.safetensors").read_bytes()
    with pytest.raises(OutputError):
        write_model(pair["b"].path, recipe, pair, "", overwrite=True)
    assert (pair["b"].path / "model.safetensors").read_bytes() == before


def test_a_source_is_known_by_content_so_a_moved_one_is_the_same(pair, tmp_path):
    moved = Checkpoint.open("z", shutil.move(pair["a"].path, tmp_path / "elsewhere"))
    bank = bank_of({"z": moved})
    assert Recipe.identity(moved.source, 3).content.embedding in bank
