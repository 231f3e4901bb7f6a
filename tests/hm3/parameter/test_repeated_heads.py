"""Tied models of which some files repeat the embedding as a head, as some tools save them, merge like all others."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.parameter import merge, specify
from tests.tiny import edit_config, write_checkpoint

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


@pytest.fixture
def paths(tmp_path):
    base = write_checkpoint(tmp_path / "base", depth=2, tied=True)
    return {"base": base, "math": write_checkpoint(tmp_path / "math", depth=2, tied=True, near=base, noise=0.1, seed=1)}


def add_head(folder, change=0.0):
    tensors = load_file(folder / "model.safetensors")
    tensors[HEAD] = tensors[EMBEDDING] + change
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def merged(paths, out):
    """The mean of both, with the base's config."""
    base, math = (Checkpoint.open(name, path).source for name, path in paths.items())
    return merge(specify("task_arithmetic", base=base, parents=[math], weights=[0.5]), paths, out)


@pytest.mark.parametrize("owner", ["base", "math"])
def test_a_repeated_head_changes_nothing(owner, paths, tmp_path):
    expected = load_file(merged(paths, tmp_path / "before") / "model.safetensors")
    add_head(paths[owner])
    folder = merged(paths, tmp_path / "after")
    found = load_file(folder / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_a_head_of_its_own_is_not_left_out(paths, tmp_path):
    add_head(paths["math"], change=0.5)
    with pytest.raises(CheckpointError, match=r"must have the same tensors, got lm_head\.weight only in math"):
        merged(paths, tmp_path / "out")


def test_an_untied_head_is_not_left_out_though_it_equals_the_embedding(paths, tmp_path):
    add_head(paths["math"])
    edit_config(paths["math"], tie_word_embeddings=False)
    with pytest.raises(CheckpointError, match=r"must have the same tensors, got lm_head\.weight only in math"):
        merged(paths, tmp_path / "out")


def test_heads_that_all_files_repeat_are_merged_as_before(paths, tmp_path):
    for path in paths.values():
        add_head(path)
    tensors = load_file(merged(paths, tmp_path / "out") / "model.safetensors")
    assert torch.equal(tensors[HEAD], tensors[EMBEDDING])
