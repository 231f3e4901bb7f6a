"""Models that differ as the published trios' members do, in small: what the presets say lets them through, rightly."""

import json
import logging
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hm3.checkpoints import Checkpoint, check_loading
from hm3.composition import open_sources
from hm3.composition.space import stack_space
from hm3.errors import CheckpointError
from hm3.parameter import merge, specify
from hm3.recipe import LayerRef, Recipe
from hm3.stacks import assemble
from tests.stack_ways import bank_of, log_likelihoods, reload, scored, token_rows
from tests.tiny import edit_config, write_checkpoint, write_tokenizer

CONF = Path(__file__).parents[2] / "conf"
OBJECTIVES = ("math", "code", "translation")
PAD = {"id": 128, "content": "[PAD]", "special": True, "normalized": False}
PAD |= {"single_word": False, "lstrip": False, "rstrip": False}


def rope(base):
    return {"rope_parameters": None, "rope_theta": base}  # as transformers 4 wrote it


TRIOS = {
    "qwen2_5_1_5b": {
        "base": {**rope(1e6), "max_position_embeddings": 512, "sliding_window": 512},
        "chat": {**rope(1e6), "max_position_embeddings": 256, "sliding_window": 256},
        "math": {**rope(1e4), "max_position_embeddings": 64, "sliding_window": 64},
        "code": {**rope(1e6), "max_position_embeddings": 256, "sliding_window": 128},
    },
    "llama2_7b": {
        "base": rope(None),
        "chat": rope(None),
        "math": {**rope(None), "vocab_size": 129, "max_position_embeddings": 128},
        "code": {**rope(1e6), "vocab_size": 144, "max_position_embeddings": 512},
    },
}
SHAPES = {
    "qwen2_5_1_5b": {"family": "qwen2", "tied": True, "settings": {"vocab_size": 160}},
    "llama2_7b": {"family": "llama"},
}
TOKENS = "tokenizer must equal that of base, got tokens from 128 on:"
EXPECTED = {
    "qwen2_5_1_5b": ["source math: rope_theta must equal that of base, 1000000.0, got 10000.0"],
    "llama2_7b": [
        f"source math: {TOKENS} 1 only in math, the first '[PAD]'",
        "source code: rope_theta must equal that of base, 10000.0, got 1000000.0",
        f"source code: {TOKENS} 16 only in code, the first '<extra29>'",
    ],
}


def write_member(folder, trio, name, seed):
    changes = TRIOS[trio][name]
    shape = SHAPES[trio]
    settings = {**shape.get("settings", {}), **{key: v for key, v in changes.items() if key == "vocab_size"}}
    path = write_checkpoint(folder / name, **{**shape, "settings": settings}, seed=seed, tokenizer=False)
    edit_config(path, **changes, **({"use_sliding_window": False} if shape["family"] == "qwen2" else {}))
    write_tokenizer(path, vocabulary=144 if settings.get("vocab_size") == 144 else 128)
    if settings.get("vocab_size") == 129:
        tokenizer = json.loads((path / "tokenizer.json").read_text())
        tokenizer["added_tokens"].append(PAD)
        (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    return path


@pytest.fixture(scope="module", params=TRIOS)
def trio(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    paths = {name: write_member(folder, request.param, name, seed) for seed, name in enumerate(TRIOS[request.param])}
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [f"sources={request.param}", "tasks=published"])
    config.sources.base = str(paths["base"])
    for name in ("chat", "math", "code"):
        config.sources.experts[name].path = str(paths[name])
    return request.param, config


def opened(config, folder, caplog):
    with caplog.at_level(logging.WARNING):
        return open_sources(config.sources, folder / "merges", OBJECTIVES)


def test_the_preset_lets_them_through_and_says_what_differs(trio, tmp_path, caplog):
    name, config = trio
    opened(config, tmp_path, caplog)
    assert caplog.messages == [f"{line}; the host's is used for every layer" for line in EXPECTED[name]]


def test_without_the_preset_s_rule_they_are_refused(trio, tmp_path, caplog):
    name, config = trio
    strict = OmegaConf.merge(config, {"sources": {"on_mismatch": "refuse"}})
    with pytest.raises(CheckpointError) as caught:
        opened(strict, tmp_path, caplog)
    assert str(caught.value) == f"{EXPECTED[name][0]}; on_mismatch=host would use the host's for every layer"


@pytest.mark.parametrize("host", ["base", "math", "code"])
def test_scored_assembled_and_exported_a_stack_is_one_model(trio, tmp_path, caplog, host):
    used = opened(trio[1], tmp_path, caplog).checkpoints
    path = [LayerRef(source, layer) for layer, source in enumerate((host, "math", "chat", "code"))]
    recipe = Recipe.build(path, host, host, {name: checkpoint.source for name, checkpoint in used.items()})
    bank, rows = bank_of(used), token_rows()
    reloaded = reload(used, recipe, tmp_path / "model")
    expected = log_likelihoods(reloaded.model, rows)
    assert scored(bank, recipe, rows) == pytest.approx(expected, abs=1e-5)
    assert log_likelihoods(assemble(recipe, bank), rows) == pytest.approx(expected, abs=1e-5)
    assert len(reloaded.model.get_input_embeddings().weight) == used[host].config["vocab_size"]


def test_a_merge_has_the_base_s_rows_and_every_expert_s_share(trio, tmp_path, caplog):
    sources = opened(trio[1], tmp_path, caplog)
    experts = [expert.source for expert in sources.experts]
    spec = specify("linear", base=None, parents=[sources.base.source, *experts], weights=(1, 1, 1, 1))
    paths = {name: checkpoint.path for name, checkpoint in sources.checkpoints.items()}
    written = Checkpoint.open("merged", merge(spec, paths, tmp_path / "merged"), spec)
    check_loading(written)
    assert written.config["vocab_size"] == sources.base.config["vocab_size"]
    name = "model.embed_tokens.weight"
    each = [checkpoint.tensor(name)[:128].float() for checkpoint in sources.checkpoints.values()]
    torch.testing.assert_close(written.tensor(name)[:128].float(), sum(each) / 4, rtol=2**-7, atol=2**-12)


def test_hosts_may_follow_where_every_head_has_all_tokens(trio, tmp_path, caplog):
    name, config = trio
    sources = opened(config, tmp_path, caplog)
    follow = OmegaConf.merge(config.env, {"host": "follow"})
    if name == "qwen2_5_1_5b":
        assert stack_space(follow, sources, []).rules.host == "follow"
        return
    with pytest.raises(CheckpointError) as caught:
        stack_space(follow, sources, [])
    assert str(caught.value) == (
        "source math: vocab_size of base at least the tokens of math's tokenizer, 129 (the last is '[PAD]'), got 128"
    )
