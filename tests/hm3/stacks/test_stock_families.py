"""What is peculiar to families that run in transformers' own modules: GPT-2's ends and names, experts, windows."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.evaluation.scorer import StackScorer
from hm3.evaluation.workers import ProcessScorer
from hm3.model_folder import write_model
from hm3.stacks import assemble, stack_config
from tests.stack_ways import bank_of, log_likelihoods, recipe_of, reload, scored, token_rows
from tests.tiny_families import SAMPLES, write_source

STOCK = ("gpt_neox", "gpt2", "mixtral", "qwen3_moe", "qwen2_moe")
FAMILIES = {sample.model_type: sample for sample in SAMPLES if sample.model_type in STOCK}
MIXED = ("a0", "a1", "b1", "b1", "a3", "b2", "a3")
MB = 1 << 20


@pytest.fixture(scope="module", params=STOCK)
def lab(request, tmp_path_factory):
    folder, sample = tmp_path_factory.mktemp(request.param), FAMILIES[request.param]
    sources = {
        name: write_source(folder / name, sample, depth=depth, seed=depth) for name, depth in (("a", 4), ("b", 3))
    }
    return SimpleNamespace(sources=sources, recipe=recipe_of(sources, MIXED, "a", "b"), bank=bank_of(sources))


@pytest.fixture
def pair(request, tmp_path):
    sample = FAMILIES[request.param]
    return {name: write_source(tmp_path / name, sample, depth=3, seed=seed) for seed, name in enumerate("ab")}


def peculiar(family):
    return pytest.mark.parametrize("pair", [family], indirect=True)


def memory_of(bank, checkpoint):
    """Where the bank's tensors of a source begin."""
    digest = checkpoint.source.digest
    parts = [*bank.embedding(digest), *bank.ending(digest).norm, bank.ending(digest).head]
    parts += [each for layer in range(checkpoint.depth) for each in bank.layer(digest, layer).tensors().values()]
    return {part.untyped_storage().data_ptr() for part in parts}


def assert_clean(report):
    assert not [key for kind in ("missing", "unexpected", "mismatched") for key in report[f"{kind}_keys"]]


def test_the_assembled_model_has_no_parameter_outside_the_bank(lab):
    ours = set.union(*(memory_of(lab.bank, checkpoint) for checkpoint in lab.sources.values()))
    for name, parameter in assemble(lab.recipe, lab.bank).named_parameters():
        assert parameter.untyped_storage().data_ptr() in ours, name


def test_every_occurrence_of_a_layer_has_a_number_of_its_own(lab):
    modules = assemble(lab.recipe, lab.bank).modules()
    assert [module.layer_idx for module in modules if hasattr(module, "layer_idx")] == list(range(7))


def test_exits_company_and_cache_change_no_bit(lab):
    """The last layer runs whole here, so an early exit too is the stack itself."""
    rows, stack = token_rows(), lab.recipe.content
    others = [recipe_of(lab.sources, path, "a", "b").content for path in ((*MIXED, "b0"), ("a0", "a1", "b1", "b0"))]
    alone = StackScorer(lab.bank, [rows], 0).score([stack], 0).log_likelihood[0]
    for cache_bytes in (0, 64 * MB):
        scorer = StackScorer(lab.bank, [rows], cache_bytes)
        for _ in range(2):  # the second time from the cache
            found = scorer.score([others[0], stack, others[1]], 0, exits=[stack]).log_likelihood
            assert torch.equal(found[1], alone)
            assert torch.equal(found[3], alone)


def test_the_exported_file_keeps_the_names_and_the_bytes_of_the_sources_files(lab, tmp_path):
    write_model(tmp_path / "stack", lab.recipe, lab.sources, "")
    written = Checkpoint.open("stack", tmp_path / "stack")
    prefix = lab.bank.family(lab.recipe.content.embedding).layer_prefix
    for place, layer in enumerate(MIXED):
        source, home, here = lab.sources[layer[0]], prefix(int(layer[1])), prefix(place)
        names = [name.removeprefix(home) for name in source.tensors if name.startswith(home)]
        assert names
        assert {name for name in written.tensors if name.startswith(here)} == {here + name for name in names}
        assert all(torch.equal(written.tensor(here + name), source.tensor(home + name)) for name in names)


# ---------------------------------------------------------------- experts


@peculiar("mixtral")
def test_a_worker_process_scores_the_same(pair):
    rows, recipe = token_rows(), recipe_of(pair, ("a0", "b1", "a2"), "a", "b")
    scorer = ProcessScorer([rows], workers=1, dtype=torch.float32, cache_bytes=MB)
    try:
        for checkpoint in pair.values():
            scorer.add(checkpoint.source.digest, checkpoint)
        found = scorer.score([recipe.content], 0).log_likelihood[0].tolist()
    finally:
        scorer.close()
    assert found == pytest.approx(scored(bank_of(pair), recipe, rows), abs=1e-5)


@peculiar("mixtral")
def test_files_with_packed_experts_stack_with_files_of_single_ones(pair, tmp_path):
    packed = shutil.copytree(pair["b"].path, tmp_path / "packed")
    stock = AutoModelForCausalLM.from_pretrained(packed, dtype=torch.float32)
    stock.save_pretrained(packed, save_original_format=False)
    mixed, rows = {"a": pair["a"], "b": Checkpoint.open("b", packed)}, token_rows()
    recipe = recipe_of(mixed, ("a0", "b1", "b1", "a2"), "a", "b")
    exported = reload(mixed, recipe, tmp_path / "stack")
    assert_clean(exported.report)
    assert scored(bank_of(mixed), recipe, rows) == pytest.approx(log_likelihoods(exported.model, rows), abs=1e-5)


@peculiar("qwen2_moe")
def test_windows_travel_with_their_layers(pair):
    """Sources alternate between a window and none, beginning with one; the stack puts them in another order."""
    recipe = recipe_of(pair, ("a1", "a0", "b0", "b1"), "a", "b")
    kinds = ["full_attention", "sliding_attention", "sliding_attention", "full_attention"]
    assert stack_config(recipe, pair)["layer_types"] == kinds
    rows, bank = token_rows(), bank_of(pair)
    found = scored(bank, recipe, rows)
    assert found == pytest.approx(log_likelihoods(assemble(recipe, bank), rows), abs=1e-5)
    assert found != pytest.approx(scored(bank, recipe_of(pair, ("a0", "a1", "b0", "b1"), "a", "b"), rows), abs=1e-3)


# ---------------------------------------------------------------- GPT-2


@peculiar("gpt2")
@pytest.mark.parametrize(("head", "tied"), [("a", True), ("b", False)])
def test_gpt2_is_tied_only_where_one_source_gives_both_ends(pair, head, tied, tmp_path):
    recipe = recipe_of(pair, ("a0", "b1", "a2"), "a", head)
    exported = reload(pair, recipe, tmp_path / "stack")
    assert_clean(exported.report)
    assert ("lm_head.weight" in Checkpoint.open("x", tmp_path / "stack").tensors) is not tied
    assert stack_config(recipe, pair)["tie_word_embeddings"] is tied
    assert (exported.model.lm_head.weight is exported.model.transformer.wte.weight) is tied
    assert torch.equal(exported.model.lm_head.weight, pair[head].tensor("transformer.wte.weight"))


@peculiar("gpt2")
def test_gpt2_as_it_was_first_published_stacks_with_todays(pair, tmp_path):
    """Names without a prefix, and causal masks among the weights of every layer."""
    old = shutil.copytree(pair["b"].path, tmp_path / "old")
    tensors = {name.removeprefix("transformer."): each for name, each in load_file(old / "model.safetensors").items()}
    tensors |= {f"h.{layer}.attn.bias": torch.ones(1, 1, 8, 8).tril() for layer in range(3)}
    save_file(tensors, old / "model.safetensors", {"format": "pt"})
    mixed, rows, path = {"a": pair["a"], "b": Checkpoint.open("b", old)}, token_rows(), ("a0", "b1", "b1", "a2", "b2")
    recipe = recipe_of(mixed, path, "b", "a")
    exported = reload(mixed, recipe, tmp_path / "stack")
    assert_clean(exported.report)
    found = scored(bank_of(mixed), recipe, rows)
    assert found == pytest.approx(log_likelihoods(exported.model, rows), abs=1e-5)
    assert found == scored(bank_of(pair), recipe_of(pair, path, "b", "a"), rows)
