"""One stack, four ways: scored without a model, assembled in memory, exported, and loaded again by transformers."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.evaluation.rows import Row
from hm3.evaluation.scorer import StackScorer
from hm3.layers import LayerBank
from hm3.model_folder import write_model
from hm3.recipe import LayerRef, Recipe
from hm3.stacks import assemble, stack_config
from tests.tiny import edit_config, write_checkpoint

CPU = torch.device("cpu")
SHAPES = [("llama", False), ("llama", True), ("qwen2", False), ("qwen2", True)]
MIXED = ("a0", "a1", "b1", "b1", "a3", "b2", "a3")
STACKS = {
    "natural": (("a0", "a1", "a2", "a3"), "a", "a"),
    "mixed": (MIXED, "a", "b"),
    "mixed, other hosts": (MIXED, "b", "a"),
    "mixed, one host": (MIXED, "b", "b"),
    "single layer": (("b2",), "a", "b"),
    "one layer, three times": (("a2", "a2", "a2"), "a", "a"),
}


def open_source(folder, name, depth, seed, **shape):
    """A source whose gains and biases are random too, as a trained model's are."""
    raw = write_checkpoint(folder / f"raw {name}", depth=depth, seed=seed, **shape)
    path = write_checkpoint(folder / name, near=raw, noise=0.1, seed=seed + 100, depth=depth, **shape)
    return Checkpoint.open(name, path)


def recipe_of(checkpoints, layers, embedding, head):
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    return Recipe.build([LayerRef(layer[0], int(layer[1:])) for layer in layers], embedding, head, sources)


def bank_of(checkpoints, **options):
    bank = LayerBank(CPU, torch.float32, **options)
    for checkpoint in checkpoints.values():
        bank.add(checkpoint.source.digest, checkpoint)
    return bank


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


def reload(checkpoints, recipe, path):
    from transformers import AutoModelForCausalLM

    write_model(path, recipe, checkpoints, "card")
    model, report = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True)
    return SimpleNamespace(model=model, report=report)


def token_rows(count=7, longest=23):
    generator = torch.Generator().manual_seed(5)
    rows = []
    for i in range(count):
        length, answer = 2 + (i * 3) % longest, 1 + i % 4
        text = torch.randint(4, 128, (max(length, answer) + 1,), generator=generator).tolist()
        rows.append(Row(tuple(text[:-1]), tuple(text[-answer:])))
    return rows


@torch.no_grad()
def log_likelihood(model, row):
    chances = functional.log_softmax(model(torch.tensor([row.tokens])).logits[0], dim=-1)
    places = chances[-len(row.answer) :]
    return float(places.gather(1, torch.tensor(row.answer)[:, None]).sum())


def test_log_likelihoods_without_a_model_are_those_of_the_assembled_and_of_the_exported_model(lab, recipe, reloaded):
    rows = token_rows()
    scored = StackScorer(lab.bank, [rows], 0).score([recipe.content], 0).log_likelihood[0].tolist()
    model = assemble(recipe, lab.bank)
    assert scored == pytest.approx([log_likelihood(model, row) for row in rows], abs=1e-5)
    assert scored == pytest.approx([log_likelihood(reloaded.model, row) for row in rows], abs=1e-5)


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
    prompt = torch.tensor([[1, 40, 50, 60]])
    texts = [
        model.generate(prompt, max_new_tokens=24, min_new_tokens=24, do_sample=False, use_cache=cache)[0].tolist()
        for model in (assemble(recipe, lab.bank), reloaded.model)
        for cache in (True, False)
    ]
    assert len(texts[0]) == 28
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
        lambda: StackScorer(lab.bank, [token_rows()], 0).score([recipe.content], 0),
    ):
        with pytest.raises(CheckpointError, match="source b: layers are 0 to 2, got 3"):
            build()


def test_a_bank_with_room_for_one_layer_scores_the_same(lab, recipe):
    rows = token_rows()
    small = bank_of(lab.checkpoints, budget=1)
    assert torch.equal(
        StackScorer(small, [rows], 0).score([recipe.content], 0).log_likelihood,
        StackScorer(lab.bank, [rows], 0).score([recipe.content], 0).log_likelihood,
    )


# ---------------------------------------------------------------- edges that need a source of their own


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


def test_lists_with_an_entry_for_each_layer_follow_the_layers(tmp_path):
    paths = {name: write_checkpoint(tmp_path / name, family="qwen2", depth=3) for name in "ab"}
    edit_config(paths["a"], layer_types=["full_attention", "sliding_attention", "full_attention"])
    edit_config(paths["b"], layer_types=["sliding_attention", "full_attention", "full_attention"])
    sources = {name: Checkpoint.open(name, path) for name, path in paths.items()}
    config = stack_config(recipe_of(sources, ("a1", "b0", "b1", "a1"), "a", "a"), sources)
    assert config["layer_types"] == ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"]
    assert config["num_hidden_layers"] == 4


def test_a_source_without_such_a_list_leaves_it_to_transformers(tmp_path):
    """Configs from before transformers 5 have no layer_types."""
    paths = {name: write_checkpoint(tmp_path / name, family="qwen2", depth=3) for name in "ab"}
    edit_config(paths["b"], layer_types=None)
    sources = {name: Checkpoint.open(name, path) for name, path in paths.items()}
    recipe = recipe_of(sources, ("a1", "b0", "b1", "a1"), "a", "a")
    assert "layer_types" not in stack_config(recipe, sources)
    assert assemble(recipe, bank_of(sources)).config.layer_types == ["full_attention"] * 4


def test_rotary_tables_of_old_files_are_left_out(tmp_path):
    from safetensors.torch import load_file, save_file

    path = write_checkpoint(tmp_path / "old", depth=2)
    weights = load_file(path / "model.safetensors")
    old = weights | {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(4) for i in range(2)}
    save_file(old, path / "model.safetensors", metadata={"format": "pt"})
    source = Checkpoint.open("old", path)
    recipe = Recipe.identity(source.source, 2)
    assert (
        StackScorer(bank_of({"old": source}), [token_rows()], 0)
        .score([recipe.content], 0)
        .log_likelihood.isfinite()
        .all()
    )
    assert not reload({"old": source}, recipe, tmp_path / "model").report["unexpected_keys"]
    assert set(load_file(tmp_path / "model" / "model.safetensors")) == set(weights)


def test_a_layer_with_a_tensor_that_scoring_would_ignore_is_refused(tmp_path):
    source = Checkpoint.open("a", write_checkpoint(tmp_path / "a", depth=2, settings={"mlp_bias": True}))
    recipe = Recipe.identity(source.source, 2)
    with pytest.raises(CheckpointError, match=r"mlp\.gate_proj\.bias"):
        StackScorer(bank_of({"a": source}), [token_rows()], 0).score([recipe.content], 0)


def test_attention_biases_of_llama_count(tmp_path):
    source = open_source(tmp_path, "a", 2, 1, settings={"attention_bias": True})
    assert "model.layers.0.self_attn.o_proj.bias" in source.tensors
    recipe, bank, rows = Recipe.identity(source.source, 2), bank_of({"a": source}), token_rows()
    model = assemble(recipe, bank)
    scored = StackScorer(bank, [rows], 0).score([recipe.content], 0).log_likelihood[0].tolist()
    assert scored == pytest.approx([log_likelihood(model, row) for row in rows], abs=1e-5)


def test_scaled_rotary_embeddings_count(tmp_path):
    rope = {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}
    source = open_source(tmp_path, "a", 3, 1, settings={"rope_parameters": rope})
    recipe, bank, rows = Recipe.identity(source.source, 3), bank_of({"a": source}), token_rows()
    model = assemble(recipe, bank)
    scored = StackScorer(bank, [rows], 0).score([recipe.content], 0).log_likelihood[0].tolist()
    assert scored == pytest.approx([log_likelihood(model, row) for row in rows], abs=1e-5)


def test_an_export_never_lands_on_a_source(pair):
    from hm3.errors import OutputError

    recipe = recipe_of(pair, ("a0", "b1"), "a", "a")
    before = (pair["b"].path / "model.safetensors").read_bytes()
    with pytest.raises(OutputError):
        write_model(pair["b"].path, recipe, pair, "", overwrite=True)
    assert (pair["b"].path / "model.safetensors").read_bytes() == before


def test_a_source_is_known_by_content_so_a_moved_one_is_the_same(pair, tmp_path):
    moved = Checkpoint.open("z", shutil.move(pair["a"].path, tmp_path / "elsewhere"))
    bank = bank_of({"z": moved})
    assert Recipe.identity(moved.source, 3).content.embedding in bank
