"""mergekit makes of ``mergekit.yaml`` what HM3 exports, bit for bit; where it cannot, the file says so and no more."""

import json
import shutil
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.content import essentials
from hm3.composition.source_paths import open_source
from hm3.model_folder import write_model
from hm3.parameter import MergeCache, specify
from hm3.recipe import LayerRef, Recipe, Source
from hm3.replay import REPLAYS, VERSION, mergekit_recipe
from tests.guides import ROOT
from tests.hm3.replay.conftest import assert_same_tensors, replayed, sources
from tests.tiny import edit_config, write_checkpoint

SHAPES = {"llama": {}, "llama-tied": {"tied": True}, "mistral": {"settings": {"sliding_window": 16}}, "phi3": {}}
STACKS = {
    "natural": ("a0 a1 a2 a3", "a", "a"),
    "repeats and skips": ("a0 a1 a1 a1 a3 a0 a1", "a", "a"),
    "mixed": ("a0 a1 c1 c2 a1 c3 a3", "a", "a"),
    "single layer": ("b2", "b", "b"),
    "two sources": ("a0 a1 b1 b2", "a", "b"),
    "hosts that are no ends": ("b0 b1 a3", "a", "b"),
    "hosts that give no layer": ("b1 b1", "a", "c"),
}


def recipe_of(checkpoints, layers, embedding, head):
    named = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    return Recipe.build([LayerRef(text[0], int(text[1:])) for text in layers.split()], embedding, head, named)


def exported(folder, checkpoints, *stack):
    recipe = stack[0] if isinstance(stack[0], Recipe) else recipe_of(checkpoints, *stack)
    return write_model(folder, recipe, checkpoints, "card")


@pytest.fixture(scope="module", params=list(SHAPES))
def checkpoints(request, tmp_path_factory):
    return sources(tmp_path_factory.mktemp("sources"), request.param.removesuffix("-tied"), **SHAPES[request.param])


def differs_in_head(checkpoints, stack):
    """A head of another model, where heads are tied: no file of mergekit's says so."""
    return STACKS[stack][1] != STACKS[stack][2] and "lm_head.weight" not in checkpoints["a"].tensors


@pytest.mark.parametrize("stack", list(STACKS))
def test_mergekit_replays_to_the_same_bits(checkpoints, stack, tmp_path):
    if differs_in_head(checkpoints, stack):
        text = (exported(tmp_path / "ours", checkpoints, *STACKS[stack]) / "mergekit.yaml").read_text()
        assert "is its embedding, and it writes no head then" in text
        return
    ours = exported(tmp_path / "ours", checkpoints, *STACKS[stack])
    theirs = replayed(ours / "mergekit.yaml", tmp_path / "theirs")
    assert_same_tensors(ours, theirs)
    one, two = (json.loads((folder / "config.json").read_text()) for folder in (ours, theirs))
    assert (
        essentials(one).items()
        <= {**essentials(two), "tie_word_embeddings": two.get("tie_word_embeddings", False)}.items()
    )
    assert (ours / "tokenizer.json").read_bytes() == (theirs / "tokenizer.json").read_bytes()


def test_neighbours_are_one_range_and_hosts_empty_ones(checkpoints):
    recipe = recipe_of(checkpoints, "a0 a1 a1 a2 b0 b1 b2 a3", "b", "b")
    data = yaml.safe_load(mergekit_recipe(recipe, checkpoints))
    ranges = [(Path(part["sources"][0]["model"]).name, *part["sources"][0]["layer_range"]) for part in data["slices"]]
    assert ranges == [("b", 0, 0), ("a", 0, 2), ("a", 1, 3), ("b", 0, 3), ("a", 3, 4), ("b", 0, 0)]
    assert data["base_model"] == str(checkpoints["b"].path)
    assert data["dtype"] == "bfloat16"


@pytest.mark.parametrize("family", REPLAYS)
def test_mergekit_s_own_list_of_a_family_s_tensors_is_ours(family):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from mergekit.architecture import NAME_TO_ARCH

    row = REPLAYS[family]
    (known,) = (each for each in NAME_TO_ARCH[row.architecture] if each.expected_model_type == family)
    definition = known.modules["default"].architecture.definition
    names = [weight.name for weight in definition.layer_templates.weights]
    assert {f"model.layers.${{layer_index}}.{module}.weight" for module in row.modules} == set(names)
    (head,) = (weight for weight in definition.post_weights if weight.name == "lm_head.weight")
    assert head.optional is row.head_optional


def test_the_version_is_the_one_that_is_installed():
    assert version("mergekit") == VERSION


# ---------------------------------------------------------------- sources of other kinds


@pytest.fixture(scope="module")
def llamas(tmp_path_factory):
    return sources(tmp_path_factory.mktemp("llamas"))


def with_merge(checkpoints, folder, method, blocks=None, **settings):
    named = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    base = None if method == "slerp" else named["a"]
    spec = specify(
        method,
        base=base,
        parents=[named["a"], named["c"]] if method == "slerp" else [named["c"], named["d"]],
        weights=(0.6, 0.4),
        settings=settings,
        blocks=blocks,
    )
    path = MergeCache(folder / "cache").get(spec, {name: each.path for name, each in checkpoints.items()})
    return {**checkpoints, "m": Checkpoint.open("m", path, merge=spec)}


@pytest.fixture(scope="module")
def near(llamas, tmp_path_factory):
    path = write_checkpoint(tmp_path_factory.mktemp("near") / "d", depth=4, seed=4, near=llamas["a"].path)
    return {**llamas, "d": Checkpoint.open("d", path)}


@pytest.mark.parametrize(
    ("method", "settings"),
    [("dare_ties", {"seed": 7, "density": [0.3, 0.8]}), ("ties", {}), ("linear", {}), ("slerp", {})],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_merged_sources_are_documents_of_their_own(near, method, settings, tmp_path):
    checkpoints = with_merge(near, tmp_path, method, **settings)
    ours = exported(tmp_path / "ours", checkpoints, "m0 m1 a2 m1 a3 m3", "m", "a")
    text = (ours / "mergekit.yaml").read_text()
    assert text.count("merge_method") == 2
    assert ("--random-seed 7" in text) == (method == "dare_ties")
    assert_same_tensors(ours, replayed(ours / "mergekit.yaml", tmp_path / "theirs"))


def test_merges_in_blocks_are_documents_of_slices(near, tmp_path):
    blocks = {1: ((0.9, 0.2), {"density": 0.4}), 3: ((0.1, 1.0), {})}
    checkpoints = with_merge(near, tmp_path, "dare_ties", blocks, seed=7)
    ours = exported(tmp_path / "ours", checkpoints, "m0 m1 a2 m1 a3 m3", "m", "a")
    assert (ours / "mergekit.yaml").read_text().count("slices") == 2
    assert_same_tensors(ours, replayed(ours / "mergekit.yaml", tmp_path / "theirs"))


def test_a_merge_of_different_rows_stops_mergekit_and_the_file_says_so(llamas, tmp_path):
    padded = write_checkpoint(tmp_path / "d", depth=4, seed=4, vocabulary=160)
    shutil.copyfile(llamas["a"].path / "tokenizer.json", padded / "tokenizer.json")
    checkpoints = with_merge({**llamas, "d": Checkpoint.open("d", padded)}, tmp_path, "ties")
    ours = exported(tmp_path / "ours", checkpoints, "m0 m1 a2", "m", "m")
    assert "# Of models with different numbers of rows in embedding and head" in (ours / "mergekit.yaml").read_text()
    with pytest.raises(ValueError, match=r"^Tensor size mismatch for lm_head\.weight"):
        replayed(ours / "mergekit.yaml", tmp_path / "theirs")


def test_sources_of_two_types_keep_them(llamas, tmp_path):
    single = write_checkpoint(tmp_path / "single", depth=4, seed=9, dtype=torch.float32)
    checkpoints = {**llamas, "s": Checkpoint.open("s", single)}
    ours = exported(tmp_path / "ours", checkpoints, "a0 s1 s2 a3", "a", "s")
    assert "dtype" not in yaml.safe_load((ours / "mergekit.yaml").read_text())
    assert_same_tensors(ours, replayed(ours / "mergekit.yaml", tmp_path / "theirs"))


def test_paths_with_letters_that_mean_something_to_mergekit(tmp_path):
    checkpoints = sources(tmp_path / "v1@home + ünder construction")
    ours = exported(tmp_path / "ours", checkpoints, "a0 b1 a3", "a", "b")
    assert_same_tensors(ours, replayed(ours / "mergekit.yaml", tmp_path / "theirs"))


def test_the_zoo_is_replayed_from_within_the_clone(tmp_path, monkeypatch):
    opened = {name: open_source(name, f"zoo:{name}", tmp_path) for name in ("math", "code")}
    recipe = Recipe.build(
        [LayerRef("math", 0), LayerRef("code", 3)], "math", "code", {name: each.source for name, each in opened.items()}
    )
    ours = exported(tmp_path / "ours", opened, recipe)
    assert str(ROOT) not in (ours / "mergekit.yaml").read_text()
    monkeypatch.chdir(ROOT)
    assert_same_tensors(ours, replayed(ours / "mergekit.yaml", tmp_path / "theirs"))


@pytest.mark.parametrize("shape", ["llama", "llama-tied", "mistral", "phi3"])
@torch.no_grad()
def test_stock_transformers_loads_the_same_model(shape, tmp_path):
    checkpoints = sources(tmp_path / "sources", shape.removesuffix("-tied"), **SHAPES[shape])
    ours = exported(tmp_path / "ours", checkpoints, "a0 c1 a1 c1 a3", "a", "a")
    theirs = replayed(ours / "mergekit.yaml", tmp_path / "theirs")
    one, two = (AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32) for folder in (ours, theirs))
    tokens = torch.arange(4, 40)[None]
    assert torch.equal(one(tokens).logits, two(tokens).logits)


# ---------------------------------------------------------------- what mergekit cannot make


def reasons(recipe, checkpoints):
    """The comments of a file that has nothing else."""
    text = mergekit_recipe(recipe, checkpoints)
    assert yaml.safe_load(text) is None
    first, *lines, last = text.splitlines()
    assert first == f"# mergekit {VERSION} cannot make this model:"
    assert last == "# HM3 can: python -m hm3.export recipe=recipe.json out=OUT"
    return [line.removeprefix("# - ") for line in lines]


def test_families_that_mergekit_gets_wrong(tmp_path):
    checkpoints = sources(tmp_path, "qwen2")
    found = reasons(recipe_of(checkpoints, "a0 a1 b1", "a", "b"), checkpoints)
    assert found == ["on stacks of qwen2 it crashes, or writes a wrong config"]


def test_a_seam_that_is_folded(llamas):
    recipe = replace(recipe_of(llamas, "a0 b1", "a", "a"), seam="scale:0123")
    assert "seams are folded into the weights: scale" in reasons(recipe, llamas)


def test_tensors_that_mergekit_leaves_out(tmp_path):
    checkpoints = sources(tmp_path, settings={"attention_bias": True})
    found = reasons(recipe_of(checkpoints, "a0 a1", "a", "a"), checkpoints)
    names = ", ".join(f"self_attn.{name}_proj.bias" for name in "koqv")
    assert found == [f"it leaves out tensors of the layers of a: {names}"]


def test_a_tied_head_of_another_source(tmp_path):
    checkpoints = sources(tmp_path, tied=True)
    found = reasons(recipe_of(checkpoints, "a0 a1", "a", "b"), checkpoints)
    assert found == [
        "it leaves tie_word_embeddings as it is in the config of a; the stack needs another",
        "the head of b is its embedding, and it writes no head then",
    ]


def test_a_tied_head_of_phi3(tmp_path):
    checkpoints = sources(tmp_path, "phi3", tied=True)
    found = reasons(recipe_of(checkpoints, "a0 a1", "a", "a"), checkpoints)
    assert found == ["the head of a is its embedding, and it wants a head of Phi3ForCausalLM"]


def test_an_untied_head_on_a_tied_embedding(tmp_path):
    tied, untied = write_checkpoint(tmp_path / "a", tied=True), write_checkpoint(tmp_path / "b")
    checkpoints = {"a": Checkpoint.open("a", tied), "b": Checkpoint.open("b", untied)}
    assert reasons(recipe_of(checkpoints, "a0 b1", "a", "b"), checkpoints) == [
        "it leaves tie_word_embeddings as it is in the config of a; the stack needs another"
    ]


def test_a_head_with_more_rows_than_the_embedding(tmp_path):
    paths = {"a": write_checkpoint(tmp_path / "a"), "b": write_checkpoint(tmp_path / "b", vocabulary=160)}
    checkpoints = {name: Checkpoint.open(name, path) for name, path in paths.items()}
    found = reasons(recipe_of(checkpoints, "a0 b1", "a", "b"), checkpoints)
    assert "the head of b has 160 rows, the embedding of a 128" in found


def test_a_config_without_the_name_of_its_class(tmp_path):
    edit_config(write_checkpoint(tmp_path / "a"), architectures=None)
    checkpoints = {"a": Checkpoint.open("a", tmp_path / "a")}
    found = reasons(recipe_of(checkpoints, "a0 a1", "a", "a"), checkpoints)
    assert found == ["it knows LlamaForCausalLM; architectures of a: None"]


def test_places_that_mergekit_cannot_use(llamas):
    named = {name: replace(checkpoint.source, origin=None) for name, checkpoint in llamas.items()}
    layers = [LayerRef("a", 0), LayerRef("b", 1)]
    assert reasons(Recipe.build(layers, "a", "a", named), llamas) == [f"nobody said where {name} is" for name in "ab"]
    named = {name: replace(source, origin=f"/adapter on {source.name}") for name, source in named.items()}
    assert reasons(Recipe.build(layers[:1], "a", "a", named), llamas) == ["it merges adapters with other arithmetic: a"]


def test_merges_that_mergekit_cannot_make_in_one_go(near, tmp_path):
    one, two = with_merge(near, tmp_path, "dare_ties", seed=1), with_merge(near, tmp_path, "dare_ties", seed=2)
    checkpoints = {**one, "n": two["m"]}
    named = {name: checkpoint.source for name, checkpoint in checkpoints.items()} | {
        "n": Source.merged("n", two["m"].merge)
    }
    recipe = Recipe.build([LayerRef("m", 0), LayerRef("n", 1)], "m", "m", named)
    assert reasons(recipe, checkpoints) == ["it takes one seed for all merges, not 1, 2"]
    again = Source.merged("again", specify("ties", base=named["a"], parents=[named["m"]], weights=(1,)))
    path = MergeCache(tmp_path / "cache").get(again.merge, {name: each.path for name, each in near.items()})
    checkpoints["again"] = Checkpoint.open("again", path, merge=again.merge)
    recipe = Recipe.build([LayerRef("again", 0)], "again", "again", {"again": again})
    assert "the type of a merge of merges is not stated: again" in reasons(recipe, checkpoints)


def test_beside_merges_a_path_that_is_misread(tmp_path):
    folder = tmp_path / "v1@home"
    checkpoints = sources(folder)
    path = write_checkpoint(folder / "d", depth=4, seed=4, near=checkpoints["a"].path)
    checkpoints = with_merge({**checkpoints, "d": Checkpoint.open("d", path)}, tmp_path, "ties")
    found = reasons(recipe_of(checkpoints, "m0 a1", "m", "a"), checkpoints)
    assert f"beside merges it misreads the path of a, {folder / 'a'}" in found


def test_comments_stay_comments(llamas):
    named = {
        name: replace(checkpoint.source, origin="/x\nmerge_method: evil on y") for name, checkpoint in llamas.items()
    }
    named["a"] = replace(named["a"], name="a")
    reasons(Recipe.build([LayerRef("a", 0)], "a", "a", named), llamas)
