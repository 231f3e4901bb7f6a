"""Old files spell names otherwise; the tensors are the same."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.loading import check_loading
from hm3.checkpoints.spelling import todays_names
from hm3.errors import CheckpointError
from tests.tiny import write_checkpoint

SETTINGS = {"gpt2": {"n_layer": 2, "n_embd": 32, "n_head": 4}, "gpt_neox": {}}


def respelled(folder, family, spell):
    """A checkpoint as transformers writes it, and one whose file spells names otherwise."""
    new = write_checkpoint(folder / "new", family=family, depth=2, settings=SETTINGS[family])
    old = shutil.copytree(new, folder / "old")
    save_file({spell(n): t for n, t in load_file(new / "model.safetensors").items()}, old / "model.safetensors")
    return Checkpoint.open("new", new), old


def without_prefix(name):
    return name.removeprefix("transformer.")


def as_in_memory(name):
    return name.replace("embed_out.", "lm_head.")


@pytest.mark.parametrize(("family", "spell"), [("gpt2", without_prefix), ("gpt_neox", as_in_memory)])
def test_old_names_are_read_as_todays(tmp_path, family, spell):
    new, folder = respelled(tmp_path, family, spell)
    old = Checkpoint.open("old", folder)
    assert {name for entries in old.files.values() for name in entries} == {spell(name) for name in new.tensors}
    assert set(old.tensors) == set(new.tensors)
    for name in new.tensors:
        assert torch.equal(old.tensor(name), new.tensor(name))
        assert torch.equal(old.read(name), new.tensor(name))
        assert old.place(name)[1].shape == new.place(name)[1].shape


def test_a_tensor_under_both_names_is_refused(tmp_path):
    _, folder = respelled(tmp_path, "gpt2", without_prefix)
    file = folder / "model.safetensors"
    save_file(load_file(file) | {"transformer.wte.weight": torch.zeros(128, 32)}, file)
    with pytest.raises(CheckpointError, match=r"every tensor once, got '(transformer\.)?wte\.weight' and "):
        Checkpoint.open("x", folder)


def test_names_of_other_families_stay():
    names = ["lm_head.weight", "wte.weight", "model.norm.weight"]
    assert todays_names("llama", names) == {name: name for name in names}


@pytest.mark.parametrize(
    ("family", "table"),
    [
        ("gpt2", "h.0.attn.bias"),
        ("gpt2", "transformer.h.11.attn.masked_bias"),
        ("gpt_neox", "gpt_neox.layers.0.attention.bias"),
        ("gpt_neox", "gpt_neox.layers.0.attention.masked_bias"),
        ("gpt_neox", "gpt_neox.layers.0.attention.rotary_emb.inv_freq"),
        ("llama", "model.layers.0.self_attn.rotary_emb.inv_freq"),
    ],
)
def test_old_tables_beside_the_weights_are_left_out(family, table):
    assert todays_names(family, [table]) == {}


@pytest.mark.parametrize(
    ("family", "weight"),
    [
        ("gpt2", "transformer.h.0.attn.c_attn.bias"),
        ("gpt2", "transformer.h.0.attn.c_proj.bias"),
        ("gpt_neox", "gpt_neox.layers.0.attention.dense.bias"),
        ("llama", "model.layers.0.attn.bias"),
    ],
)
def test_biases_are_weights(family, weight):
    assert todays_names(family, [weight]) == {weight: weight}


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox"])
def test_old_files_load_whole(tmp_path, family):
    """By transformers' own rules, which are asked about the weights alone."""
    _, folder = respelled(tmp_path, family, str)
    layer = "transformer.h.0.attn" if family == "gpt2" else "gpt_neox.layers.0.attention"
    tables = {f"{layer}.bias": torch.ones(1, 1, 4, 4), f"{layer}.masked_bias": torch.ones(())}
    save_file(load_file(folder / "model.safetensors") | tables, folder / "model.safetensors")
    check_loading(Checkpoint.open("old", folder))
