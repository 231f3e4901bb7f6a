"""Seams in files: what a rotation adds, what travels with a recipe, what is refused."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open

from hm3 import export, zoo
from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError
from hm3.model_card import stack_card
from hm3.model_folder import write_model
from hm3.recipe.files import SEAMS
from hm3.runs import RunFolder
from hm3.seams import SeamValues
from hm3.stacks import untied_bytes
from tests.stack_ways import open_source
from tests.tiny_seams import Lab


def opened(folder, **shape):
    return {name: open_source(folder, name, 4, seed, **shape) for seed, name in enumerate("ab")}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("sources"), tied=True)


@pytest.fixture
def turned(sources):
    return Lab(sources, "rotation")


def tensors_of(folder):
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping


def written(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_rotation_parts_embedding_and_head_and_says_what_that_adds(turned, tmp_path):
    recipe = turned.recipe("a0 b1 a2 a3", "a", "a")
    path = turned.write(tmp_path / "model", recipe)
    assert json.loads((path / "config.json").read_text())["tie_word_embeddings"] is False
    tensors = tensors_of(path)
    assert untied_bytes(recipe, turned.sources) == tensors["lm_head.weight"].nbytes == 128 * 32 * 2
    assert "no longer one tensor: 8,192 bytes more" in stack_card(recipe, untied=8192)
    assert torch.equal(tensors["model.norm.weight"], torch.ones(32, dtype=torch.bfloat16))
    for seam in ("none", Lab(turned.sources, "scale").fits.name):
        assert untied_bytes(turned.recipe("a0 b1 a2 a3", "a", "a", seam=seam), turned.sources) == 0


def test_what_stands_before_the_first_seam_keeps_its_bytes(turned, tmp_path):
    recipe = turned.recipe("a0 a1 b1 b2", "a", "b")
    tensors, source = tensors_of(turned.write(tmp_path / "model", recipe)), turned.sources["a"]
    for name in (
        "model.embed_tokens.weight",
        *(n for n in tensors if n.startswith(("model.layers.0", "model.layers.1"))),
    ):
        assert torch.equal(tensors[name], source.tensor(name)), name
    behind = "model.layers.2.mlp.up_proj.weight"
    assert not torch.equal(tensors[behind], turned.sources["b"].tensor("model.layers.1.mlp.up_proj.weight"))
    assert all(tensor.dtype == torch.bfloat16 for tensor in tensors.values())


def test_a_scale_divides_what_is_written_behind_it_and_is_rounded_once(sources, tmp_path):
    lab = Lab(sources, "scale")
    recipe = lab.recipe("a0 a1 b1 b2", "a", "b")
    (transform,) = (each for each in lab.values(recipe).transforms.values() if not each.plain)
    tensors = tensors_of(lab.write(tmp_path / "model", recipe))
    for place, layer in ((2, 1), (3, 2)):
        for part in ("self_attn.o_proj", "mlp.down_proj"):
            theirs = sources["b"].tensor(f"model.layers.{layer}.{part}.weight")
            ours = (theirs.double() / transform.scale).bfloat16()
            assert torch.equal(tensors[f"model.layers.{place}.{part}.weight"], ours)
        kept = "mlp.gate_proj.weight"
        theirs = sources["b"].tensor(f"model.layers.{layer}.{kept}")
        assert torch.equal(tensors[f"model.layers.{place}.{kept}"], theirs)


@pytest.mark.parametrize("rule", ["scale", "rotation"])
def test_a_model_is_written_again_from_what_lies_beside_it_to_the_last_byte(sources, tmp_path, rule):
    lab = Lab(sources, rule)
    recipe = lab.recipe()
    first = lab.write(tmp_path / "first", recipe)
    assert (first / SEAMS).is_file() is (rule == "rotation")  # scales are in recipe.json itself
    values = SeamValues.from_json(json.loads((first / "recipe.json").read_text())["seams"], first)
    again = write_model(tmp_path / "again", recipe, sources, "card", seams=values)
    assert written(first) == written(again)


@pytest.mark.parametrize("rule", ["scale", "rotation"])
def test_a_run_folder_keeps_the_values(sources, tmp_path, rule):
    lab = Lab(sources, rule)
    values = lab.values(lab.recipe())
    run = RunFolder(tmp_path)
    assert run.read_seams().transforms == {}
    run.write_seams(values)
    kept = run.read_seams().transforms
    assert list(kept) == list(values.transforms)
    for seam, transform in values.transforms.items():
        assert kept[seam].scale == transform.scale
        assert np.array_equal(kept[seam].rotation, transform.rotation)


def test_a_recipe_without_its_values_is_refused(turned, tmp_path):
    recipe = turned.recipe()
    with pytest.raises(
        CheckpointError, match=r"^recipe\.seam rotation:\w+: fitted values for every seam, got none from"
    ):
        write_model(tmp_path / "model", recipe, turned.sources, "card")
    assert list(tmp_path.iterdir()) == []


def test_other_matrices_beside_a_recipe_are_refused(turned, tmp_path):
    first = turned.write(tmp_path / "first", turned.recipe())
    other = turned.write(tmp_path / "other", turned.recipe("a0 b2 a3 b3"))
    value = json.loads((first / "recipe.json").read_text())["seams"]
    shutil.copyfile(other / SEAMS, first / SEAMS)
    with pytest.raises(CheckpointError, match=r"seams\.tensors: content of digest \w{12}, got \w{12}$"):
        SeamValues.from_json(value, first)
    (first / SEAMS).unlink()
    with pytest.raises(CheckpointError, match=r"seams\.tensors: .*No such file"):
        SeamValues.from_json(value, first)


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value.pop("transforms"),
        lambda value: value["transforms"][0].update(scale="large"),
        lambda value: value["transforms"][0].update(scale=0.0),
        lambda value: value["transforms"][0].update(left=["digest"]),
        lambda value: value["transforms"][0].update(home=[1, 2]),
        lambda value: value["transforms"][0].update(rotation="none"),
        lambda value: value.update(transforms=3),
    ],
    ids=["missing", "text", "zero", "short", "number", "matrix", "list"],
)
def test_damaged_values_are_refused_in_one_line(sources, tmp_path, damage):
    lab = Lab(sources, "scale")
    value = lab.values(lab.recipe()).to_json()
    damage(value)
    with pytest.raises(ConfigurationError, match=r"^recipe\.seams: fitted values as HM3 writes them, got [^\n]+$"):
        SeamValues.from_json(value, tmp_path)


def test_a_value_that_somebody_changed_is_refused(sources, tmp_path):
    lab = Lab(sources, "scale")
    value = lab.values(lab.recipe()).to_json()
    assert SeamValues.from_json(value, tmp_path).to_json() == value
    value["transforms"][0]["scale"] *= 2
    with pytest.raises(ConfigurationError, match=r"^recipe\.seams\.digest: must fit the values, \w{12}, got '\w{12}'$"):
        SeamValues.from_json(value, tmp_path)


def test_rotations_of_another_width_are_refused(turned, sources, tmp_path):
    wide = Lab(opened(tmp_path, width=48), "rotation")
    values = turned.values(turned.recipe())
    stolen = dict(zip(wide.values(wide.recipe()).transforms, values.transforms.values(), strict=True))
    message = r"^recipe\.seams: rotations as wide as the stream, 48, got \[32, 32\]$"
    with pytest.raises(CheckpointError, match=message):
        write_model(tmp_path / "model", wide.recipe(), wide.sources, "card", seams=SeamValues(stolen))


@pytest.mark.parametrize("rule", ["scale", "rotation"])
def test_on_trained_weights_hooked_and_exported_models_agree(tmp_path, rule):
    """Embeddings of trained models are small: an epsilon that does not follow the scale would show."""
    from transformers import AutoModelForCausalLM

    sources = {name: exact(zoo.source_path(source), tmp_path / name) for name, source in (("a", "math"), ("b", "code"))}
    lab = Lab(sources, rule, vocabulary=300)
    recipe = lab.recipe("a5 a1 b2 b2 a7 b6", "a", "b")
    largest = max(each.scale for each in lab.values(recipe).transforms.values())
    assert largest > 20  # from the embedding into the sixth layer
    model = AutoModelForCausalLM.from_pretrained(lab.write(tmp_path / "model", recipe), dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(model(lab.tokens).logits, lab.hooked(recipe), atol=1e-4, rtol=0)


def exact(source, folder):
    """The same weights in float32, which seams are folded into without a loss."""
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).save_pretrained(folder)
    return Checkpoint.open(folder.name, folder)


def test_the_command_says_what_a_rotation_adds(turned, tmp_path, invoke):
    for name, path, told in (("turned", "a0 b1 a2 a3", True), ("whole", "a0 a1 a2 a3", False)):
        first = turned.write(tmp_path / name, turned.recipe(path, "a", "a"))
        done = invoke(export.main, f"recipe={first}", f"out={tmp_path / name}-again")
        assert (done.code, done.err) == (0, "")
        assert ("4 layers in" in done.out, "8,192 bytes more: a seam parts embedding" in done.out) == (True, told)
