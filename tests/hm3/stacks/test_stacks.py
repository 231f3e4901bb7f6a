"""One stack, four ways: scored without a model, assembled in memory, exported, and loaded again by transformers."""

from types import SimpleNamespace

import pytest
import torch

from hm3.errors import CheckpointError
from hm3.model_folder import write_model
from hm3.recipe import Recipe
from hm3.stacks import assemble, stack_config
from tests.stack_ways import bank_of, greedy_texts, log_likelihoods, open_source, recipe_of, reload, scored, token_rows

SHAPES = [("llama", True), ("qwen2", False)]
MIXED = ("a0", "a1", "b1", "b1", "a3", "b2", "a3")
STACKS = {
    "natural": (("a0", "a1", "a2", "a3"), "a", "a"),
    "mixed": (MIXED, "a", "b"),
    "mixed, other hosts": (MIXED, "b", "a"),
    "mixed, one host": (MIXED, "b", "b"),
    "single layer": (("b2",), "a", "b"),
    "one layer, three times": (("a2", "a2", "a2"), "a", "a"),
}


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: f"{shape[0]}{'-tied' if shape[1] else ''}")
def lab(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    family, tied = request.param
    shape = {"family": family, "tied": tied}
    checkpoints = {"a": open_source(folder, "a", 4, 1, **shape), "b": open_source(folder, "b", 3, 2, **shape)}
    return SimpleNamespace(checkpoints=checkpoints, bank=bank_of(checkpoints), tied=tied)


@pytest.fixture(params=list(STACKS))
def recipe(request, lab):
    return recipe_of(lab.checkpoints, *STACKS[request.param])


@pytest.fixture
def reloaded(lab, recipe, tmp_path):
    return reload(lab.checkpoints, recipe, tmp_path / "model")


def test_log_likelihoods_without_a_model_are_those_of_the_assembled_and_of_the_exported_model(lab, recipe, reloaded):
    rows = token_rows()
    found = scored(lab.bank, recipe, rows)
    assert found == pytest.approx(log_likelihoods(assemble(recipe, lab.bank), rows), abs=1e-5)
    assert found == pytest.approx(log_likelihoods(reloaded.model, rows), abs=1e-5)


@torch.no_grad()
def test_logits_in_memory_are_those_of_the_exported_model(lab, recipe, reloaded):
    tokens = torch.randint(4, 128, (2, 30), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        assemble(recipe, lab.bank)(tokens).logits, reloaded.model(tokens).logits, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("stack", ["mixed", "one layer, three times"])
def test_greedy_text_is_the_same_with_and_without_cache_in_memory_and_after_export(lab, stack, tmp_path):
    recipe = recipe_of(lab.checkpoints, *STACKS[stack])
    reloaded = reload(lab.checkpoints, recipe, tmp_path / "model")
    texts = greedy_texts([assemble(recipe, lab.bank), reloaded.model])
    assert len(texts[0]) == 36
    assert texts == [texts[0]] * 4


def test_the_exported_model_has_no_missing_and_no_unexpected_tensor(reloaded):
    assert not reloaded.report["missing_keys"]
    assert not reloaded.report["unexpected_keys"]
    assert not reloaded.report["mismatched_keys"]


def test_the_assembled_model_has_no_parameter_outside_the_bank(lab, recipe):
    checkpoints = lab.checkpoints.values()
    whole = {
        tensor.untyped_storage().data_ptr()
        for digest, depth in ((checkpoint.source.digest, checkpoint.depth) for checkpoint in checkpoints)
        for part in (
            *lab.bank.embedding(digest),
            *lab.bank.ending(digest).norm,
            lab.bank.ending(digest).head,
            *(weight for layer in range(depth) for weight in lab.bank.layer(digest, layer).tensors().values()),
        )
        for tensor in [part]
    }
    for name, parameter in assemble(recipe, lab.bank).named_parameters():
        assert parameter.untyped_storage().data_ptr() in whole, name


@pytest.mark.parametrize(("stack", "one_host"), [("natural", True), ("mixed", False), ("mixed, one host", True)])
def test_embedding_and_head_are_tied_only_where_one_tied_source_gives_both(lab, stack, one_host):
    recipe = recipe_of(lab.checkpoints, *STACKS[stack])
    model = assemble(recipe, lab.bank)
    shared = model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    assert shared is stack_config(recipe, lab.checkpoints)["tie_word_embeddings"] is (lab.tied and one_host)


def test_an_identity_stack_is_the_source_itself(lab, tmp_path):
    from transformers import AutoModelForCausalLM

    source = lab.checkpoints["b"]
    recipe = Recipe.identity(source.source, source.depth)
    tokens = torch.arange(4, 34)[None]
    stock = AutoModelForCausalLM.from_pretrained(source.path, dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(assemble(recipe, lab.bank)(tokens).logits, stock(tokens).logits, atol=1e-6, rtol=0)


def test_a_layer_that_a_shallower_source_lacks_is_refused(lab, tmp_path):
    recipe = recipe_of(lab.checkpoints, ("a3", "b3"), "a", "a")
    for build in (
        lambda: assemble(recipe, lab.bank),
        lambda: write_model(tmp_path / "model", recipe, lab.checkpoints, ""),
        lambda: scored(lab.bank, recipe, token_rows()),
    ):
        with pytest.raises(CheckpointError, match="source b: layers are 0 to 2, got 3"):
            build()


def test_a_bank_with_room_for_one_layer_scores_the_same(lab, recipe):
    rows = token_rows()
    assert scored(bank_of(lab.checkpoints, budget=1), recipe, rows) == scored(lab.bank, recipe, rows)
