"""A merge in memory is to the bit the checkpoint that would be written; how far it is from its base."""

import json
import math
import pickle
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.safetensors_header import Entry
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter import (
    METHODS,
    L1Change,
    l1_change,
    merge,
    merge_in_memory,
    merge_tensors,
    named_sources,
    specify,
)
from hm3.recipe import Source
from tests.tiny import edit_config, write_checkpoint


def in_memory(family, spec, *watch):
    return merge_in_memory(Source.merged("merged", spec), named_sources(spec, family.checkpoints), *watch)


def spec_of(family, method):
    return family.spec(method, weights=(0.5, 0.3, 0.2)[: METHODS[method].max_parents])


def same(model, tensors):
    assert set(model.tensor_names) == set(tensors)
    return all(torch.equal(model.tensor(name), tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_checkpoint_that_would_be_written(family, method, tmp_path):
    spec = spec_of(family, method)
    model = in_memory(family, spec)
    written = Checkpoint.open("merged", merge(spec, family.paths, tmp_path / "merged"), spec)
    assert same(model, {name: written.tensor(name) for name in written.tensor_names})
    assert model.config == written.config
    assert (model.depth, model.dtype, model.source) == (3, torch.bfloat16, written.source)
    assert {name: (entry.dtype, entry.shape, entry.stop - entry.start) for name, entry in written.tensors.items()} == {
        name: (entry.dtype, entry.shape, entry.stop - entry.start) for name, entry in model.tensors.items()
    }


def test_merging_writes_to_no_source(family):
    before = {name: {key: each.read(key) for key in each.tensor_names} for name, each in family.checkpoints.items()}
    for method in METHODS:
        in_memory(family, spec_of(family, method)).hold()
    for name, checkpoint in family.checkpoints.items():
        assert all(torch.equal(checkpoint.tensor(key), tensor) for key, tensor in before[name].items())


def test_the_base_decides_the_type_and_the_config_says_so(family, tmp_path):
    """A float32 base under bfloat16 experts, whose config says something else in the words of older versions."""
    folder = write_checkpoint(tmp_path / "base", depth=3, dtype=torch.float32)
    base = Checkpoint.open("base", edit_config(folder, dtype=None, torch_dtype="float16"))
    spec = replace(family.spec("linear"), base=base.source)
    model = merge_in_memory(Source.merged("m", spec), {**family.checkpoints, "base": base})
    assert model.dtype == model.tensor("lm_head.weight").dtype == torch.float32
    assert (model.config["dtype"], "torch_dtype" in model.config) == ("float32", False)


def test_a_tensor_is_held_until_it_is_asked_for_and_made_again_for_who_asks_twice(family):
    model = in_memory(family, family.spec("dare_ties"))
    assert model.held == 0
    first = {name: model.tensor(name) for name in reversed(model.tensor_names)}
    assert model.held == 0
    assert same(model, first)
    with pytest.raises(CheckpointError, match="source merged: a tensor 'nothing', got none"):
        model.tensor("nothing")


def test_it_travels_with_its_weights_and_goes_with_them(family):
    spec = family.spec("della")
    sent = pickle.dumps(in_memory(family, spec))
    arrived = pickle.loads(sent)
    assert len(sent) < arrived.held + 20_000
    assert (arrived.source.digest, arrived.path) == (spec.digest, family.paths["base"])
    assert same(arrived, dict(merge_tensors(spec, family.checkpoints)))
    with pytest.raises(CheckpointError, match="asked again"):
        arrived.tensor("lm_head.weight")


def test_the_change_is_the_sum_of_the_absolute_differences():
    base = SimpleNamespace(a=torch.tensor([1.0, 2.0]).bfloat16(), b=torch.tensor([[3.0]]).bfloat16())
    change = L1Change(base, getattr)
    change("a", torch.tensor([1.5, 0.0]).bfloat16())
    assert change.total == 2.5
    change("b", torch.tensor([[4.0]]).bfloat16())
    change("b", torch.tensor([[7.0]]).bfloat16())
    assert change.total == 6.5
    change("a", torch.tensor([math.nan, 0.0]))
    assert math.isnan(change.total)


def test_the_change_of_a_merge_whichever_way_it_is_made(family):
    spec = family.spec("task_arithmetic", weights=(1.0,))
    base, math_ = (family.checkpoints[name] for name in ("base", "math"))
    names = base.tensor_names
    by_hand = sum(float((math_.tensor(name).double() - base.tensor(name).double()).abs().sum()) for name in names)
    parents = named_sources(spec, family.checkpoints)
    change = L1Change.of(spec, parents)
    in_memory(family, spec, change).hold()
    assert l1_change(spec, parents) == change.total == pytest.approx(by_hand, rel=1e-2)  # the merge is rounded
    assert by_hand > 10


def test_rows_that_only_the_base_has_are_no_change(tmp_path):
    """The base's vocabulary is padded; its embedding's further rows stay, however large they are."""
    small = write_checkpoint(tmp_path / "small", vocabulary=128, depth=1)
    large = write_checkpoint(tmp_path / "large", vocabulary=128, depth=1)
    weights = load_file(large / "model.safetensors")
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        weights[name] = torch.cat([weights[name], torch.full((64, 32), 1000.0, dtype=torch.bfloat16)])
    save_file(weights, large / "model.safetensors", {"format": "pt"})
    config = json.loads((large / "config.json").read_text())
    (large / "config.json").write_text(json.dumps({**config, "vocab_size": 192}))
    base, expert = Checkpoint.open("base", large), Checkpoint.open("expert", small)
    spec = specify("task_arithmetic", base=base.source, parents=[expert.source], weights=[1.0])
    sources = {"base": base, "expert": expert}
    assert merge_in_memory(Source.merged("m", spec), sources).tensors["lm_head.weight"] == Entry(
        "BF16", (192, 32), 0, 192 * 32 * 2
    )
    assert l1_change(spec, sources) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_weights_that_are_no_numbers_raise_nothing(family, method, number, tmp_path):
    folder = write_checkpoint(tmp_path / "broken", depth=3, seed=9)
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 4] = number
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    broken = Checkpoint.open("math", folder)
    spec = spec_of(family, method)
    spec = replace(spec, parents=(broken.source, *spec.parents[1:]))
    assert not math.isfinite(l1_change(spec, {**family.checkpoints, "math": broken}))


def test_sources_must_be_open_and_the_ones_that_the_merge_names(family):
    spec = family.spec("linear")
    with pytest.raises(ConfigurationError, match="got none named base"):
        named_sources(spec, {name: family.checkpoints[name] for name in ("math", "code", "prose")})
    with pytest.raises(CheckpointError, match="the content that the merge names"):
        named_sources(spec, {**family.checkpoints, "math": family.checkpoints["code"]})
