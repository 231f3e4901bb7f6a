"""A stack's config: its depth, and every list with an entry for each layer from the layers' own sources."""

import json

import pytest
from transformers import AutoConfig

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.stacks import assemble, stack_config
from tests.stack_ways import bank_of, recipe_of
from tests.tiny import edit_config, write_checkpoint

FULL, SLIDING = "full_attention", "sliding_attention"
WINDOW = {"use_sliding_window": True, "sliding_window": 6}
STACK = ("a3", "b0", "b1", "a1", "a1")


def pair(folder, family, edits=None, **settings):
    """Sources ``a`` and ``b`` of four and three layers, with these edits of their config.json."""
    paths = {
        name: write_checkpoint(folder / name, family=family, depth=depth, settings=settings)
        for name, depth in (("a", 4), ("b", 3))
    }
    for name, changes in (edits or {}).items():
        edit_config(paths[name], **changes)
    return {name: Checkpoint.open(name, path) for name, path in paths.items()}


def config_of(sources, layers=STACK, host="a"):
    """The stack's config, once transformers has found nothing wrong with it."""
    config = stack_config(recipe_of(sources, layers, host, host), sources)
    AutoConfig.for_model(**json.loads(json.dumps(config)))
    return config


def test_lists_that_the_sources_state_follow_the_layers(tmp_path):
    edits = {
        "a": {"layer_types": [FULL, SLIDING, FULL, SLIDING]},
        "b": {"layer_types": [SLIDING, FULL, FULL]},
    }
    config = config_of(pair(tmp_path, "qwen2", edits, **WINDOW))
    assert config["layer_types"] == [SLIDING, SLIDING, FULL, SLIDING, SLIDING]
    assert config["num_hidden_layers"] == 5


def test_a_list_that_a_source_leaves_to_a_pattern_is_written_out(tmp_path):
    """Qwen's files from before transformers 5 say from which layer on there is a window."""
    edits = {name: {"layer_types": None, "max_window_layers": 2} for name in "ab"}
    config = config_of(pair(tmp_path, "qwen2", edits, **WINDOW), ("a0", "a3", "b2", "b1"))
    assert config["layer_types"] == [FULL, SLIDING, SLIDING, FULL]
    assert "max_window_layers" not in config


def test_gemma_3_in_the_spelling_of_transformers_4_keeps_its_pattern_and_its_two_bases(tmp_path):
    old = {"layer_types": None, "sliding_window_pattern": 2, "rope_parameters": None}
    old |= {"rope_theta": 5000.0, "rope_local_base_freq": 50.0}
    sources = pair(tmp_path, "gemma3_text", {"a": old, "b": old}, sliding_window=6)
    config = config_of(sources)
    assert config["layer_types"] == [FULL, SLIDING, FULL, FULL, FULL]
    assert "sliding_window_pattern" not in config
    full = AutoConfig.for_model(**config)
    bases = {kind: rope["rope_theta"] for kind, rope in full.rope_parameters.items()}
    assert bases == {FULL: 5000.0, SLIDING: 50.0}


def test_smollm3_keeps_which_layers_turn_by_position(tmp_path):
    edits = {name: {"no_rope_layers": None, "layer_types": None, "no_rope_layer_interval": 2} for name in "ab"}
    config = config_of(pair(tmp_path, "smollm3", edits))
    assert config["no_rope_layers"] == [0, 1, 0, 0, 0]
    assert "no_rope_layer_interval" not in config


def test_layers_without_experts_are_listed_by_their_place_in_the_stack(tmp_path):
    edits = {"a": {"mlp_only_layers": [1]}, "b": {"decoder_sparse_step": 2}}
    sources = pair(tmp_path, "qwen3_moe", edits, num_experts=2, moe_intermediate_size=8)
    config = config_of(sources)  # b's layers 0 and 2 have no experts, by its step
    assert config["mlp_only_layers"] == [1, 3, 4]
    assert config["decoder_sparse_step"] == 1


def test_a_list_that_its_family_does_not_know_is_left_out(tmp_path):
    sources = pair(tmp_path, "llama", {"a": {"notes": [1, 2, 3, 4]}})
    assert "notes" not in config_of(sources)


def test_a_list_that_only_happens_to_be_as_long_as_the_model_is_deep_stays(tmp_path):
    sources = pair(tmp_path, "llama", {"a": {"eos_token_id": [2, 3, 4, 5]}})
    assert config_of(sources)["eos_token_id"] == [2, 3, 4, 5]


def test_gpt_2_calls_its_depth_otherwise(tmp_path):
    config = config_of(pair(tmp_path, "gpt2"))
    assert config["n_layer"] == 5
    assert "num_hidden_layers" not in config


def test_layers_with_a_window_need_a_host_that_has_one(tmp_path):
    sources = pair(tmp_path, "qwen2", {"a": {"use_sliding_window": False, "layer_types": [FULL] * 4}}, **WINDOW)
    edit_config(sources["b"].path, layer_types=[SLIDING] * 3)
    sources["b"] = Checkpoint.open("b", sources["b"].path)
    with pytest.raises(
        CheckpointError, match=r"^source a: sliding_window for layers of type sliding_attention, got none$"
    ):
        config_of(sources)


def test_making_a_stacks_config_changes_no_sources_config(tmp_path):
    """transformers' config classes write into the rotary settings that they are given."""
    edit = {"rope_parameters": {"rope_theta": 500.0}}
    sources = pair(tmp_path, "gemma2", {"a": edit, "b": edit}, sliding_window=6)
    before = {name: json.dumps(source.config) for name, source in sources.items()}
    recipe = recipe_of(sources, STACK)
    assemble(recipe, bank_of(sources))
    AutoConfig.for_model(**stack_config(recipe, sources))
    assert {name: json.dumps(source.config) for name, source in sources.items()} == before


def test_a_config_that_transformers_refuses_is_one_line(tmp_path):
    sources = pair(tmp_path, "qwen2")
    edit_config(sources["a"].path, layer_types=[FULL] * 9)
    sources["a"] = Checkpoint.open("a", sources["a"].path)
    with pytest.raises(CheckpointError, match=r"config.json: what transformers' qwen2 reads, got .*\(9\)") as caught:
        config_of(sources)
    assert "\n" not in str(caught.value)
