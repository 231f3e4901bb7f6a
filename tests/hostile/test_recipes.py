"""Recipes that were damaged, or written by somebody who wishes us ill: the model, or one line."""

import json
import tempfile
from contextlib import chdir
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st

from hm3.checkpoints import Checkpoint
from hm3.composition import open_recipe
from hm3.model_folder import write_model
from hm3.parameter import specify
from hm3.recipe import LayerRef, Recipe, Source
from tests.hostile.cases import damaged, hostile, refused_or_fine
from tests.tiny import write_family


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@cache
def home():
    """A folder with sources, a recipe that has a merged one, and a stack written by hand."""
    folder = Path(tempfile.mkdtemp(prefix="hm3-hostile-"))
    paths = write_family(folder, ("math", "code"), depth=2)
    opened = {name: Checkpoint.open(name, path).source for name, path in paths.items()}
    spec = specify("ties", base=opened["base"], parents=[opened["math"], opened["code"]], weights=(1, 1))
    path = [LayerRef("base", 0), LayerRef("mixed", 1)]
    recipe = Recipe.build(path, "base", "base", {**opened, "mixed": Source.merged("mixed", spec)})
    (folder / "recipe.json").write_text(json.dumps({**recipe.to_json(), "shard_bytes": 10**9}))
    short = {"sources": {"base": "base", "math": "math"}, "path": ["base:0-1", "math:1"], "on_mismatch": "host"}
    (folder / "stack.yaml").write_text(yaml.safe_dump(short))
    return folder


def build(file):
    """Everything that the command does with a recipe."""
    with tempfile.TemporaryDirectory() as out, chdir(home()), refused_or_fine():
        model = open_recipe(str(file), {}, Path("merges"))
        write_model(
            Path(out) / "model", model.recipe, model.checkpoints, "card", shard_bytes=model.shard_bytes or 10**9
        )


def test_the_undamaged_ones_are_fine():
    for name in ("recipe.json", "stack.yaml"):
        with chdir(home()):
            assert open_recipe(name, {}, Path("merges")).recipe.depth in (2, 3)


@hostile(25, 1000, st.sampled_from(["recipe.json", "stack.yaml"]), st.data())
def test_damaged_values(name, data):
    value = data.draw(damaged(yaml.safe_load((home() / name).read_text())))
    file = home() / f"damaged-{name}"
    file.write_text(json.dumps(value) if name.endswith("json") else yaml.safe_dump(value, allow_unicode=True))
    build(file.name)


@hostile(25, 1000, st.sampled_from(["recipe.json", "stack.yaml"]), st.floats(0, 1), st.binary(max_size=9))
def test_damaged_bytes(name, at, inserted):
    content = (home() / name).read_bytes()
    at = int(at * len(content))
    (home() / f"damaged-{name}").write_bytes(content[:at] + inserted + content[at + 5 :])
    build(f"damaged-{name}")
