"""Any weights of the experts give a plain checkpoint: the base with its terms in it."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter import MergeCache, specify
from hm3.parameter.pareto import DataFree, Differences, ParetoTensor, Training, initial_terms
from hm3.parameter.pareto.matrices import layer_matrices
from hm3.recipe import MergeSpec, Recipe, Source
from hm3.replay import mergekit_recipe
from tests.hm3.parameter.conftest import EXPERTS


@pytest.fixture(scope="module")
def tensor(family):
    experts = [family.checkpoints[name] for name in EXPERTS]
    differences = Differences(family.checkpoints["base"], experts)
    trained = Training(steps=3)(DataFree(differences), lambda: initial_terms(differences, 4))
    return ParetoTensor(trained.terms, family.source("base"), tuple(expert.source for expert in experts))


@pytest.fixture
def cache(tensor, tmp_path):
    cache = MergeCache(tmp_path / "merges")
    cache.keep_tensor(tensor)
    return cache


def test_terms_are_for_the_weight_matrices_of_the_layers(family, tensor):
    names = layer_matrices(family.checkpoints["base"])
    assert list(tensor.terms) == names
    assert len(names) == 3 * 7
    assert "model.layers.0.self_attn.q_proj.weight" in names
    assert not any("norm" in name or "embed" in name or "lm_head" in name for name in names)


def test_differences_are_the_experts_less_the_base(family):
    base, experts = family.checkpoints["base"], [family.checkpoints[name] for name in EXPERTS]
    kept, read = Differences(base, experts), Differences(base, experts, keep=0)
    name = kept.names[3]
    expected = torch.stack([expert.tensor(name).float() - base.tensor(name).float() for expert in experts])
    assert torch.equal(kept.of(name), expected)
    assert torch.equal(read.of(name), expected)
    assert kept.of(name) is kept.of(name)
    assert read.of(name) is not read.of(name)
    whole = sum(kept.of(each).double().square().sum((1, 2)) for each in kept.names)
    torch.testing.assert_close(kept.totals, whole)


def test_experts_that_teach_nothing_are_refused(family):
    base = family.checkpoints["base"]
    with pytest.raises(ConfigurationError, match=r"^pareto_merging: at least 1 expert, got none$"):
        Differences(base, [])
    with pytest.raises(CheckpointError, match=r"differ from the base's, got base at a squared distance of 0$"):
        Differences(base, [family.checkpoints["math"], base])


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.2, 0.3, 0.5)])
def test_its_tensors_are_the_base_with_the_terms(family, tensor, cache, weights):
    source = tensor.source("merged", weights)
    merged, base = cache.open(source, family.checkpoints), family.checkpoints["base"]
    assert set(merged.tensors) == set(base.tensors)
    for name in base.tensors:
        expected = base.tensor(name)
        if name in tensor.terms:
            term = tensor.terms[name]
            by_hand = torch.einsum("ci,ijk,dj,k->cd", term.left, term.core, term.right, torch.tensor(weights))
            expected = expected.float() + by_hand
            assert not torch.equal(merged.tensor(name), base.tensor(name))
        torch.testing.assert_close(merged.tensor(name).float(), expected.float(), atol=1e-6, rtol=2**-8)
        assert merged.tensor(name).dtype == base.tensor(name).dtype
    assert merged.source == source


def test_stock_transformers_loads_it_and_mergekit_is_told(family, tensor, cache):
    spec = tensor.spec((0.2, 0.3, 0.5))
    folder = cache.get(spec, family.paths)
    _, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    text = (folder / "mergekit.yaml").read_text()
    assert text == "# mergekit cannot make this model: pareto_merging is trained, and no method of its own.\n"
    assert MergeSpec.from_json(json.loads((folder / "merge.json").read_text())) == spec


def test_of_its_sources_it_reads_the_base_alone(family, tensor, cache):
    source = tensor.source("merged", (0.5, 0.3, 0.2))
    assert cache.missing(source) == (family.source("base"),)
    assert cache.open(source, {"base": family.checkpoints["base"]}).source == source
    assert cache.missing(source) == ()


def test_a_base_that_is_a_merge_is_built_from_its_own_sources_unless_it_is_kept(family, tensor, cache):
    base = Source.merged("mean", family.spec("linear", base=None))
    source = replace(tensor, base=base).source("merged", (0.5, 0.3, 0.2))
    assert cache.missing(source) == tuple(family.source(name) for name in EXPERTS)
    cache.open(base, family.checkpoints)
    assert cache.missing(source) == ()


def test_a_stack_with_it_says_that_mergekit_has_no_such_method(family, tensor, cache):
    source = tensor.source("merged", (0.2, 0.3, 0.5))
    recipe = Recipe.identity(source, 3)
    text = mergekit_recipe(recipe, {"merged": cache.open(source, family.checkpoints)})
    assert "# - it has no method pareto_merging: merged\n" in text
    assert all(line.startswith("#") for line in text.splitlines())


def test_a_base_that_is_itself_a_merge_is_built_first(family, tmp_path):
    parents = [family.source(name) for name in EXPERTS]
    settings = {"normalize": True}
    base = Source.merged("even", specify("linear", base=None, parents=parents, weights=[1, 1, 1], settings=settings))
    cache = MergeCache(tmp_path)
    opened = cache.open(base, family.checkpoints)
    experts = [family.checkpoints[name] for name in EXPERTS]
    tensor = ParetoTensor(initial_terms(Differences(opened, experts), 2), base, tuple(parents))
    other = MergeCache(tmp_path / "other")
    other.keep_tensor(tensor)
    merged = other.open(tensor.source("merged", (1, 0, 0)), family.checkpoints)
    name = "model.layers.1.mlp.up_proj.weight"
    expected = opened.tensor(name) + tensor.terms[name].at(torch.tensor([1.0, 0, 0])).dense()
    assert torch.equal(merged.tensor(name), expected.bfloat16())
    assert other.path(base.merge).exists()


def test_a_tensor_that_is_not_kept_is_asked_for(family, tensor, tmp_path):
    with pytest.raises(CheckpointError) as caught:
        MergeCache(tmp_path).get(tensor.spec((1, 0, 0)), family.paths)
    assert str(caught.value).startswith(f"pareto_merging: the tensor {tensor.digest[:12]} in {tmp_path / 'tensors'}; ")
    assert str(caught.value).endswith("have it as pareto_merging.tensors, got none")
    assert list(tmp_path.iterdir()) == []


def test_a_tensor_of_another_base_is_refused(family, tensor, cache):
    other = ParetoTensor(tensor.terms, family.source("math"), tensor.experts)
    spec = tensor.spec((1, 0, 0))
    wrong = MergeSpec(spec.method, other.base, spec.parents, spec.weights, spec.settings)
    with pytest.raises(CheckpointError, match=r"^pareto_merging: the base that the tensor was trained for, "):
        cache.get(wrong, family.paths)


def test_a_tensor_is_kept_once(tensor, cache):
    file = cache.keep_tensor(tensor)
    before = file.stat().st_mtime_ns
    assert cache.keep_tensor(tensor) == file == cache.tensor_file(tensor.spec((1, 0, 0)))
    assert file.stat().st_mtime_ns == before
    assert file.name == f"{tensor.digest[:32]}.tensors"


def test_checkpoints_that_differ_in_shape_are_refused(family, tmp_path):
    from tests.tiny import write_checkpoint

    wide = Checkpoint.open("wide", write_checkpoint(tmp_path, depth=3, width=64))
    with pytest.raises(CheckpointError, match="must have one shape"):
        Differences(family.checkpoints["base"], [wide])
