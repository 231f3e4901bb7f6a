"""Checkpoint folders and task files, damaged."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import yaml
from hypothesis import strategies as st

from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.evaluation import load_tasks
from hm3.model_folder import write_model
from hm3.recipe import LayerRef, Recipe
from tests.hostile.cases import damaged, hostile, refused_or_fine
from tests.small_run import TASK, write_tasks
from tests.tiny import write_checkpoint

KINDS = ("single", "sharded")
HOW = ("over", "cut", "gone")
YAML = yaml.safe_load(TASK.format(name="sums").replace("!function tiny_task.", ""))
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json")


@cache
def sources():
    """A checkpoint in one file and the same in several."""
    folder = Path(tempfile.mkdtemp(prefix="hm3-hostile-"))
    write_checkpoint(folder / "single", depth=2)
    write_checkpoint(folder / "sharded", depth=2, shard_size="30KB")
    return folder


def stacked(folder, target):
    """Everything that a run does with a source, in small: open, compare, read, export."""
    whole = Checkpoint.open("whole", sources() / "single")
    broken = Checkpoint.open("broken", folder)
    check_loading(broken)
    check_compatible([whole, broken], "refuse")
    path = [LayerRef("whole", 0), LayerRef("broken", 1)]
    recipe = Recipe.build(path, "whole", "broken", {"whole": whole.source, "broken": broken.source})
    write_model(target, recipe, {"whole": whole, "broken": broken}, "a card")


def check_stacked(folder, target):
    """Either the model is whole or there is nothing."""
    with refused_or_fine():
        stacked(folder, target)
        assert Checkpoint.open("written", target).depth == 2
    left = {path.name for path in target.parent.iterdir()}
    assert left <= {"source", "target"}
    assert not target.exists() or (target / "recipe.json").is_file()


@hostile(40, 1000, st.sampled_from(KINDS), st.sampled_from(FILES), st.data())
def test_a_json_file_of_a_checkpoint(kind, name, data):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(shutil.copytree(sources() / kind, Path(folder) / "source"))
        file = source / name
        if file.is_file():
            file.write_text(json.dumps(data.draw(damaged(json.loads(file.read_text())))))
        check_stacked(source, Path(folder) / "target")


@hostile(
    40,
    1000,
    st.sampled_from(KINDS),
    st.integers(0, 10**9),
    st.binary(max_size=60),
    st.sampled_from(["over", "cut", "gone"]),
)
def test_a_weight_file(kind, at, noise, how):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(shutil.copytree(sources() / kind, Path(folder) / "source"))
        files = sorted(source.glob("*.safetensors"))
        file = files[at % len(files)]
        content = file.read_bytes()
        at %= min(len(content), 4000)  # headers are the interesting part
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(content[:at] + noise + (content[at + len(noise) :] if how == "over" else b""))
        check_stacked(source, Path(folder) / "target")


@hostile(
    5, 150, damaged(yaml.safe_load(TASK.format(name="sums").replace("!function tiny_task.", "")) | {"x": 1}), st.data()
)
def test_a_task_file(value, data):
    with tempfile.TemporaryDirectory() as folder:
        tasks = write_tasks(Path(folder))
        text = yaml.safe_dump(value, allow_unicode=True)
        for name in ("load_sums", "process_results"):
            text = text.replace(f": {name}\n", f": !function tiny_task.{name}\n")
        (tasks / "sums.yaml").write_text(text)
        with refused_or_fine():
            for task in load_tasks(["tiny_sums"], [tasks]).values():
                assert task is not None


@hostile(15, 400, damaged(json.loads((Path(write_tasks(Path(tempfile.mkdtemp()))) / "sums.json").read_text())))
def test_the_items_of_a_task(rows):
    from hm3.evaluation import Parts, split

    with tempfile.TemporaryDirectory() as folder:
        tasks = write_tasks(Path(folder))
        (tasks / "sums.json").write_text(json.dumps(rows))
        with refused_or_fine():
            loaded = load_tasks(["tiny_sums"], [tasks])
            Parts.build(loaded, {name: split(name, task, None, None) for name, task in loaded.items()}, 2)
