"""From its recipe alone a model is built again, byte for byte; another source in its place is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hm3.checkpoints import Checkpoint
from hm3.command.folders import register
from hm3.composition.source_paths import open_source
from hm3.model_folder import write_model
from hm3.parameter import specify
from hm3.recipe import LayerRef, Recipe, Source
from hm3.recipe.junctions import junctions
from hm3.seams import SeamValues, Transform
from tests.guides import ROOT
from tests.hm3.export.conftest import content
from tests.tiny import edit_config, write_checkpoint
from tests.tiny_adapters import write_adapter
from tests.tiny_runs import small_front, write_run

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MERGED = [("base", 0), ("mixed", 1), ("mixed", 2), ("math", 2), ("math", 3)]


def spec_of(models, **settings):
    opened = {name: Checkpoint.open(name, path).source for name, path in models.items()}
    parents = [opened["math"], opened["code"]]
    return opened, specify("dare_ties", base=opened["base"], parents=parents, weights=(0.6, 0.4), settings=settings)


@pytest.fixture
def run(models, tmp_path):
    """A run whose front is one stack with a merged source; nobody has built that yet."""
    opened, spec = spec_of(models, seed=3)
    sources = {**opened, "mixed": Source.merged("mixed", spec)}
    recipe = Recipe.build([LayerRef(*ref) for ref in MERGED], "base", "math", sources)
    front = small_front()
    member = type(front.candidates[0])(recipe, front.candidates[0].scores, {})
    front = small_front(candidates=(member,), chosen=recipe.digest)
    register()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        settings = OmegaConf.to_container(compose("train"))
    experts = {name: {"path": str(models[name]), "objectives": []} for name in ("math", "code")}
    settings["sources"] = {"base": str(models["base"]), "experts": experts, "on_mismatch": "refuse"}
    run = write_run(tmp_path / "run", front, {**settings, "merges": str(tmp_path / "merges")})
    (run.path / ".hydra/hydra.yaml").write_text("hydra: {runtime: {cwd: /}}")
    return run


def test_a_run_s_model_is_rebuilt_from_its_recipe_with_its_merges(run, exporting, tmp_path):
    first = exporting(f"run={run.path}", "shard_mb=0.02", out="first")
    assert {"recipe.json", "mergekit.yaml", "README.md", "config.json", "tokenizer.json"} <= set(content(first))
    assert len(list(first.glob("model-*.safetensors"))) > 2
    shutil.rmtree(tmp_path / "merges")
    assert content(exporting(f"recipe={first / 'recipe.json'}", "merges=elsewhere", out="second")) == content(first)
    assert content(exporting("recipe=first", out="third")) == content(first)


def test_the_recipe_alone_is_enough_for_all_but_the_scores_on_the_card(run, exporting):
    first = content(exporting(f"run={run.path}", out="first"))
    Path("alone.json").write_bytes(first["recipe.json"])
    second = content(exporting("recipe=alone.json", out="second"))
    assert {name for name in first if first[name] != second.get(name)} == {"README.md"}
    assert set(first) == set(second)


def test_merges_that_are_kept_need_no_parents(run, exporting):
    first = exporting(f"run={run.path}", out="first")
    value = json.loads((first / "recipe.json").read_text())
    (mixed,) = (source for source in value["sources"] if source["merge"])
    mixed["merge"]["parents"][1]["origin"] = "/gone"
    (first / "recipe.json").write_text(json.dumps(value))
    again = exporting("recipe=first", f"merges={run.path.parent / 'merges'}", out="second")
    assert (again / "model.safetensors").read_bytes() == (first / "model.safetensors").read_bytes()


def test_seams_are_folded_in_again_from_their_fitted_values(exporting, refused, models, home):
    opened = {name: Checkpoint.open(name, models[name]) for name in ("base", "math")}
    path = [LayerRef("base", 0), LayerRef("math", 2), LayerRef("base", 3)]
    recipe = Recipe.build(path, "base", "base", {name: each.source for name, each in opened.items()})
    recipe = replace(recipe, seam=f"rotation:{'0' * 64}")
    seams = [each for each in junctions(recipe.content, 4) if each.is_seam]
    assert len(seams) == 2
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((32, 32)))[0].astype(np.float32)
    values = SeamValues({seam: Transform(0.5 + i, turn) for i, seam in enumerate(seams)})
    first = write_model(home / "first", recipe, opened, f"card of {recipe.digest}", seams=values)
    assert content(exporting("recipe=first", out="second")) == content(first)
    value = json.loads((first / "recipe.json").read_text())
    value["seams"]["transforms"].pop()
    Path("without.json").write_text(json.dumps(value))
    shutil.copyfile(first / "seams.tensors", "seams.tensors")
    assert "recipe.seams.digest: must fit the values" in refused("recipe=without.json")
    Path("seams.tensors").unlink()
    assert "seams.tensors" in refused("recipe=without.json")


# ---------------------------------------------------------------- where sources are


SHORT = "sources: {{one: {one}, two: {two}}}\npath: [one:0-1, two:1-3]\n"


def write_short(one, two):
    Path("stack.yaml").write_text(SHORT.format(one=one, two=two))
    return "recipe=stack.yaml"


def origins(folder):
    value = json.loads((folder / "recipe.json").read_text())
    return {source["name"]: source["origin"] for source in value["sources"]}


def test_folders_are_found_again_from_anywhere(exporting, models, home, monkeypatch):
    (home / "near").symlink_to(models["math"])
    first = exporting(write_short("near", "./near"))
    assert origins(first) == {"one": str(home / "near"), "two": str(home / "near")}
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")
    assert content(exporting("recipe=../model", out="again")) == content(first)


def test_sources_that_moved_are_named_on_the_command_line(exporting, models, home):
    moved = shutil.copytree(models["math"], home / "moved")
    first = exporting(write_short("moved", models["base"]))
    moved.rename(home / "away")
    again = exporting("recipe=model", "+sources.one=away", out="again")
    assert content(again) == content(first)


def test_models_of_the_zoo_are_found_in_every_clone(exporting):
    first = exporting(write_short("zoo:math", "zoo:base"))
    assert origins(first) == {"one": "zoo:math", "two": "zoo:base"}
    assert "hm3/zoo/models/math" in (first / "mergekit.yaml").read_text()
    assert content(exporting("recipe=model", out="again")) == content(first)


def test_models_of_the_hub_are_pinned_to_their_commit(exporting, models, home, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = home / "hub" / "models--org--chat"
    shutil.copytree(models["math"], model / "snapshots" / COMMIT)
    shutil.copytree(models["code"], model / "snapshots" / COMMIT[::-1])
    (model / "refs").mkdir()
    (model / "refs/main").write_text(COMMIT)
    first = exporting(write_short("org/chat", "org/chat@main"))
    assert set(origins(first).values()) == {f"org/chat@{COMMIT}"}
    assert f"model: org/chat@{COMMIT}" in (first / "mergekit.yaml").read_text()
    (model / "refs/main").write_text(COMMIT[::-1])
    assert content(exporting("recipe=model", out="again")) == content(first)
    later = exporting(write_short("org/chat", "org/chat@main"), out="later")
    assert set(origins(later).values()) == {f"org/chat@{COMMIT[::-1]}"}


def test_adapters_are_merged_again_into_their_base(exporting, models, home):
    write_adapter(home / "adapter", models["base"])
    first = exporting(write_short("adapter", "adapter on zoo:base"), "+sources.two=adapter on " + str(models["base"]))
    assert set(origins(first).values()) == {f"{home / 'adapter'} on {models['base']}"}
    assert "# - it merges adapters with other arithmetic: " in (first / "mergekit.yaml").read_text()
    assert content(exporting("recipe=model", "merges=fresh", out="again")) == content(first)
    other = open_source("one", f"adapter on {models['code']}", home / "others")
    assert other.digest != json.loads((first / "recipe.json").read_text())["sources"][0]["digest"]


def test_a_folder_may_have_the_word_between_adapter_and_base_in_its_name(exporting, models, home):
    shutil.copytree(models["math"], home / "on the road on foot")
    first = exporting(write_short("on the road on foot", models["base"]))
    assert content(exporting("recipe=model", out="again")) == content(first)


def test_a_recipe_of_old_says_nothing_of_places(exporting, refused, models):
    first = exporting(write_short(models["math"], models["base"]), out="first")
    value = json.loads((first / "recipe.json").read_text())
    for source in value["sources"]:
        del source["origin"]
    Path("old.json").write_text(json.dumps(value))
    assert "source one: where it is, +sources.one=PLACE, got a recipe that doesn't say" in refused("recipe=old.json")
    places = [f"+sources.one={models['math']}", f"+sources.two={models['base']}"]
    again = content(exporting("recipe=old.json", *places, out="again"))
    assert again["recipe.json"] == content(first)["recipe.json"]


# ---------------------------------------------------------------- another source in its place


def test_another_model_in_a_source_s_place_is_refused(exporting, refused, models, home):
    exporting(write_short(models["math"], models["base"]), out="first")
    digests = [Checkpoint.open("", models[name]).digest[:12] for name in ("math", "code")]
    line = refused("recipe=first", f"+sources.one={models['code']}")
    rule = f"source one: the content that the recipe names, digest {digests[0]}, got {digests[1]} in {models['code']}"
    assert line == f"error: {rule}\n"


def test_a_source_that_changed_is_refused(exporting, refused, models, home):
    changed = shutil.copytree(models["math"], home / "changed")
    exporting(write_short("changed", models["base"]), out="first")
    edit_config(changed, rms_norm_eps=0.5)
    assert "source one: the content that the recipe names" in refused("recipe=first")


def test_a_parent_of_a_merge_that_changed_is_refused(run, exporting, refused, models, home):
    first = exporting(f"run={run.path}", out="first")
    line = refused("recipe=first", f"+sources.code={models['chat']}", "merges=fresh")
    assert line.startswith("error: source code: the content that the recipe names, digest ")
    assert not list(first.parent.glob("fresh/*"))


def test_a_card_of_another_model_is_not_taken_over(exporting, models):
    first = exporting(write_short(models["math"], models["base"]), out="first")
    (first / "README.md").write_text("# Something else")
    assert "layers" in (exporting("recipe=first", out="again") / "README.md").read_text()


def test_a_card_with_scores_is_taken_over(exporting, models):
    first = exporting(write_short(models["math"], models["base"]), out="first")
    card = (first / "README.md").read_text() + "\nscores 0.7 in mine\n"
    (first / "README.md").write_text(card)
    assert (exporting("recipe=first", out="again") / "README.md").read_text() == card


# ---------------------------------------------------------------- recipes that are none


def changed(**changes):
    return lambda value: value.update(changes)


DAMAGES = {
    "recipe.format: this version reads 1, got 99": changed(format=99),
    "recipe.digest: must fit the content": changed(head_host="one"),
    "recipe: as HM3 writes it, got one with no 'path'": lambda value: value.pop("path"),
    "recipe.shard_bytes: an integer of at least 1, got 'many'": changed(shard_bytes="many"),
    "recipe: as HM3 writes it, got one with a name that is no text": lambda value: value["sources"][0].update(origin=3),
    "source one: a folder, zoo:NAME or a model of the Hub": lambda value: value["sources"][0].update(origin="no/such"),
    "source one (/no/such): path: a folder, got nothing there": (
        lambda value: value["sources"][0].update(origin="/no/such")
    ),
}


@pytest.mark.parametrize("line", DAMAGES)
def test_a_damaged_recipe_is_one_line(exporting, refused, models, line, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    first = exporting(write_short(models["math"], models["base"]), out="first")
    value = json.loads((first / "recipe.json").read_text())
    DAMAGES[line](value)
    Path("damaged.json").write_text(json.dumps(value))
    assert line in refused("recipe=damaged.json")


def test_a_layer_that_a_source_lacks_is_one_line(refused, models):
    source = Checkpoint.open("one", models["math"]).source
    recipe = Recipe.build([LayerRef("one", 4)], "one", "one", {"one": source})
    Path("deep.json").write_text(json.dumps(recipe.to_json()))
    assert refused("recipe=deep.json") == "error: source one: layers are 0 to 3, got 4\n"


def test_sources_that_do_not_fit_are_one_line(refused, models, home):
    wide = Checkpoint.open("wide", write_checkpoint(home / "wide", width=64)).source
    recipe = Recipe.build(
        [LayerRef("one", 0), LayerRef("wide", 0)],
        "one",
        "one",
        {"one": Checkpoint.open("one", models["math"]).source, "wide": wide},
    )
    Path("wide.json").write_text(json.dumps(recipe.to_json()))
    assert "source wide: hidden_size must equal that of one, 32, got 64" in refused("recipe=wide.json")


FILES = {
    "cut.json": ('{"format": 1, "path": [', "recipe (.): cut.json: JSON, got"),
    "twice.json": ('{"format": 1, "format": 1}', "the key 'format' twice"),
    "list.json": ("[]", "recipe (.): list.json: a JSON object, got list"),
    "gone.json": (None, "recipe (.): gone.json: a readable file, got No such file or directory"),
    "gone.yaml": (None, "recipe: a readable file, got gone.yaml (No such file or directory)"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_recipe_is_one_line(refused, name):
    text, line = FILES[name]
    if text is not None:
        Path(name).write_text(text)
    assert line in refused(f"recipe={name}")


def test_a_folder_without_a_recipe_is_one_line(refused, models):
    assert "recipe.json: a readable file, got No such file" in refused(f"recipe={models['math']}")


def test_a_run_or_a_recipe_and_not_both(refused):
    assert refused() == "error: export: one of run=DIR and recipe=FILE, got neither\n"
    assert refused("run=a", "recipe=b") == "error: export: one of run=DIR and recipe=FILE, got both\n"
    assert "candidate and preference: with run=DIR" in refused("recipe=b", "candidate=0123")
    assert "candidate and preference: with run=DIR" in refused("recipe=b", "+preference.weights={math:1}")
    assert "sources: with recipe=FILE" in refused("run=a", "+sources.math=b")


def test_an_override_must_name_a_source_of_the_recipe(exporting, refused, models):
    exporting(write_short(models["math"], models["base"]), out="first")
    assert "sources.three: of the recipe's one, two, got another name" in refused("recipe=first", "+sources.three=x")
    assert "sources.three: of the recipe's one, two, got" in refused("recipe=stack.yaml", "+sources.three=x")
    assert "source one: a folder or zoo:NAME, got 3" in refused("recipe=first", "+sources.one=3")
    assert "to add it write +sources.one=..." in refused("recipe=first", "sources.one=x")
