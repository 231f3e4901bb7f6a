"""An exported stack holds its sources' own bytes, whatever their types; stock loaders round them to the config's."""

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint, write_checkpoint
from hm3.errors import CheckpointError
from hm3.recipe import LayerRef, Recipe
from hm3.stacks import stack_config, stack_tensors
from tests import tiny


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    kinds = {"brain": torch.bfloat16, "whole": torch.float32, "half": torch.float16}
    paths = {name: tiny.write_checkpoint(folder / name, dtype=dtype, seed=len(name)) for name, dtype in kinds.items()}
    return {name: Checkpoint.open(name, path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def recipe(sources):
    path = [LayerRef("brain", 0), LayerRef("whole", 1), LayerRef("half", 1), LayerRef("whole", 1)]
    return Recipe.build(path, "brain", "whole", {name: source.source for name, source in sources.items()})


@pytest.fixture(scope="module")
def exported(recipe, sources, tmp_path_factory):
    config = stack_config(recipe, sources)
    target = tmp_path_factory.mktemp("exported") / "model"
    return write_checkpoint(target, config, stack_tensors(recipe, sources), copy_from=sources["brain"].path)


def test_every_tensor_is_its_sources(exported, recipe, sources):
    origin = {"model.embed_tokens.weight": "brain", "model.norm.weight": "whole", "lm_head.weight": "whole"}
    with safe_open(exported / "model.safetensors", framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 - no mapping
            if name in origin:
                source, theirs = origin[name], name
            else:
                ref = recipe.path[int(name.split(".")[2])]
                source, theirs = ref.source, name.replace(f"layers.{name.split('.')[2]}.", f"layers.{ref.layer}.")
            expected = sources[source].tensor(theirs)
            assert file.get_tensor(name).dtype == expected.dtype
            assert torch.equal(file.get_tensor(name), expected)


def test_stock_transformers_loads_the_configs_type_and_float32_loses_nothing(exported, sources):
    name = "model.layers.1.mlp.up_proj.weight"
    model = AutoModelForCausalLM.from_pretrained(exported)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert torch.equal(model.state_dict()[name], sources["whole"].tensor(name).bfloat16())
    exact = AutoModelForCausalLM.from_pretrained(exported, dtype=torch.float32).state_dict()
    assert torch.equal(exact[name], sources["whole"].tensor(name))
    assert torch.equal(exact["model.layers.2.mlp.up_proj.weight"], sources["half"].tensor(name).float())


def test_a_layer_that_a_source_lacks_is_named(sources):
    recipe = Recipe.build([LayerRef("half", 4)], "half", "half", {"half": sources["half"].source})
    with pytest.raises(CheckpointError, match="source half: layers are 0 to 3, got 4"):
        list(stack_tensors(recipe, sources))
