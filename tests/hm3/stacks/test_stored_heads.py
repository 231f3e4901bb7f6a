"""Heads as people have them: tied with a copy in the file, tied but trained apart, forgotten; and types."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.errors import CheckpointError
from hm3.stacks import assemble
from tests.published import published_files, write_published
from tests.stack_ways import bank_of, log_likelihoods, recipe_of, reload, scored, token_rows
from tests.tiny import edit_config

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
TIED, UNTIED = "Qwen2.5-0.5B", "Mistral-7B-v0.1"
STACK = ("a0", "b1", "b1", "a3")
HOSTS = ("aa", "ab", "ba")


def write(folder, name, **changes):
    """In one weight file, which is easily edited."""
    return write_published(folder, name, shard="1GB", **changes)


def with_head(checkpoint, make):
    """The same source with a head in its file that `make` makes of its embedding."""
    file = checkpoint.path / "model.safetensors"
    tensors = load_file(file)
    save_file(tensors | {HEAD: make(tensors[EMBEDDING])}, file, metadata={"format": "pt"})
    return Checkpoint.open(checkpoint.name, checkpoint.path)


HEADS = {"a copy": torch.clone, "another, as vocabulary was trained": lambda rows: (rows.float() * 0.5 + 0.1).to(rows)}


@pytest.mark.parametrize("hosts", HOSTS)
@pytest.mark.parametrize("kind", HEADS)
def test_a_head_in_the_file_counts_whatever_the_config_says_of_ties(kind, hosts, tmp_path):
    """So stock transformers has it: it ties the two only where they are equal."""
    sources = {"a": with_head(write(tmp_path / "a", TIED, seed=1), HEADS[kind]), "b": write(tmp_path / "b", TIED)}
    assert check_compatible(list(sources.values())) == []
    for source in sources.values():
        check_loading(source)
    recipe, bank = recipe_of(sources, STACK, *hosts), bank_of(sources)
    exported = reload(sources, recipe, tmp_path / "stack")
    found = scored(bank, recipe, token_rows())
    assert found == pytest.approx(log_likelihoods(assemble(recipe, bank), token_rows()), abs=1e-5)
    assert found == pytest.approx(log_likelihoods(exported.model, token_rows()), abs=1e-5)
    assert not exported.report["missing_keys"] | exported.report["unexpected_keys"]
    head = HEADS[kind](sources["a"].tensor(EMBEDDING)) if hosts[1] == "a" else sources["b"].tensor(EMBEDDING)
    assert torch.equal(exported.model.lm_head.weight.to(head), head)


def test_a_forgotten_head_is_refused(tmp_path):
    edit_config(write(tmp_path / "a", TIED).path, tie_word_embeddings=False)
    with pytest.raises(CheckpointError, match=r"^source a \(.*\): every parameter of qwen2, got no lm_head.weight$"):
        check_loading(Checkpoint.open("a", tmp_path / "a"))


def test_an_export_keeps_the_published_type_and_bytes(tmp_path):
    """The config states it as ``torch_dtype``, as transformers 4 did, and says nothing of ``dtype``."""
    sources = {name: write_published(tmp_path / name, UNTIED, seed=i) for i, name in enumerate("ab")}
    assert len(sources["a"].files) > 1
    assert "dtype" not in published_files(UNTIED)["config.json"]
    reload(sources, recipe_of(sources, STACK), tmp_path / "stack")
    stored = Checkpoint.open("stack", tmp_path / "stack")
    name = "layers.{}.self_attn.q_proj.weight".format
    for place, (source, layer) in enumerate(STACK):
        original = sources[source].tensor(f"model.{name(layer)}")
        assert original.dtype is torch.bfloat16
        assert torch.equal(stored.tensor(f"model.{name(place)}"), original)
    assert AutoModelForCausalLM.from_pretrained(stored.path).dtype is torch.bfloat16
