"""A workbench that knows a tensor: recipes bring sources of any weights; reports judge what export writes."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError
from hm3.evaluation import LocalScorer, check_unseamed
from hm3.exits import prefix
from hm3.machine import Items, Machine
from hm3.model_folder import write_model
from hm3.objectives import Objective
from hm3.parameter import MergeCache
from hm3.recipe import LayerRef, Recipe
from hm3.workbench import Workbench
from tests.tiny import write_checkpoint
from tests.tiny_tasks import write_tasks
from tests.tiny_tensors import random_tensor, written

LOCAL = Machine(device="cpu", workers=0)
TASKS = (Objective("sums", "sums", "likelihood"), Objective("choose", "choose", "acc"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def checkpoints(folder):
    raw = write_checkpoint(folder / "raw", depth=3)
    paths = {
        name: write_checkpoint(folder / name, near=raw, noise=0.3, seed=i, depth=3) for i, name in enumerate("bef")
    }
    return {name: Checkpoint.open(name, path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def tensor(checkpoints):
    """Over a base that is no source of the bench."""
    return random_tensor(checkpoints["f"], [checkpoints["b"].source, checkpoints["e"].source])


@pytest.fixture
def opened(folder, checkpoints, tensor, tmp_path):
    include = write_tasks(tmp_path / "tasks")

    def open_bench(*, conditioned=True, store="store", extra=(), **options):
        options = {"machine": LOCAL, "items": Items(screen=4), **options}
        sources = [checkpoints["b"], checkpoints["e"], *extra]
        bench = Workbench.open(sources, TASKS, include=[include], store=tmp_path / f"{store}.sqlite", **options)
        if conditioned:
            bench.condition(tensor, checkpoints["f"])
        return bench

    return open_bench


def recipe_of(checkpoints, tensor, weights, layers=("b0", "t1", "e2"), host="t", head="t"):
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    sources["t"] = tensor.source("t", weights)
    return Recipe.build([LayerRef(each[0], int(each[1])) for each in layers], host, head, sources)


def values(scores):
    return [each.values for each in scores]


def test_every_part_is_scored_and_nothing_is_left_behind(opened, checkpoints, tensor):
    recipes = [recipe_of(checkpoints, tensor, (share, 1 - share)) for share in np.linspace(-1, 2, 7)]
    with opened() as bench:
        known = [*bench._bank._sources, tensor.base.digest]
        for evaluator in (bench.screen, bench.search, bench.test):
            assert len({each.values[0] for each in evaluator(recipes)}) == 7
        assert sorted(bench._bank._sources) == sorted(known)
        assert list(bench.checkpoints) == ["b", "e"]


def test_the_search_sees_the_terms_unrounded_and_reports_the_exported_model(opened, checkpoints, tensor, folder):
    weights = (0.3, 0.7)
    recipe = recipe_of(checkpoints, tensor, weights)
    plain = written(folder / "t", checkpoints["f"], tensor, weights)
    other = Recipe.build(recipe.path, "t", "t", {**{n: c.source for n, c in checkpoints.items()}, "t": plain.source})
    with opened(extra=[plain]) as bench:
        reported, searched = (
            [evaluator([each])[0].values[0] for each in (recipe, other)] for evaluator in (bench.test, bench.search)
        )
    assert reported[0] == pytest.approx(reported[1], rel=1e-5)
    assert 1e-4 < abs(searched[0] / searched[1] - 1) < 0.1


def test_an_assembled_model_has_the_exported_weights(opened, checkpoints, tensor, folder):
    recipe = recipe_of(checkpoints, tensor, (0.5, -0.5), ("t0", "t1", "t2"))
    plain = written(folder / "half", checkpoints["f"], tensor, (0.5, -0.5))
    with opened(extra=[plain]) as bench:
        model = bench.assemble(recipe).state_dict()
        assert set(model) == set(bench.assemble(Recipe.identity(plain.source, 3)).state_dict())
    for name, parameter in model.items():
        assert torch.equal(parameter.bfloat16(), plain.tensor(name)), name
        assert torch.equal(parameter, parameter.bfloat16().float())


def test_what_is_assembled_is_what_export_writes_to_the_last_bit(opened, checkpoints, tensor, tmp_path):
    recipe = recipe_of(checkpoints, tensor, (0.3, 0.7), ("t2", "b1", "t0", "t0"), "t", "e")
    cache = MergeCache(tmp_path / "merges")
    cache.keep_tensor(tensor)
    built = {"t": cache.open(tensor.source("t", (0.3, 0.7)), checkpoints)}
    path = write_model(tmp_path / "model", recipe, {**checkpoints, **built}, "card")
    exported = load_file(path / "model.safetensors")
    with opened() as bench:
        model = bench.assemble(recipe).state_dict()
    assert model.keys() == exported.keys()
    assert all(torch.equal(model[name], value.float()) for name, value in exported.items())


def test_early_exits_have_conditioned_layers_too(opened, checkpoints, tensor):
    recipe = recipe_of(checkpoints, tensor, (0.2, 0.8), ("t0", "b1", "t2"), "b", "e")
    with opened() as bench:
        first, second, own = bench.screen.prefixes([recipe])[0]
        assert own == bench.screen([recipe])[0]
        shorter = [prefix(recipe, length) for length in (1, 2)]
        assert [first.values[0], second.values[0]] == pytest.approx(
            [each.values[0] for each in bench.screen(shorter)], abs=1e-6
        )
        assert bench.screen.early([recipe])[0].values[0] == pytest.approx(own.values[0], abs=1e-6)


def test_workers_and_this_process_say_the_same(opened, checkpoints, tensor):
    recipes = [recipe_of(checkpoints, tensor, (share, 1 - share)) for share in (0.1, 0.6)]
    with opened() as here, opened(machine=Machine(device="cpu", workers=1), store="other") as there:
        for part in ("screen", "test"):
            ours, theirs = getattr(here, part)(recipes), getattr(there, part)(recipes)
            np.testing.assert_allclose(values(ours), values(theirs), atol=1e-6, rtol=0)


def test_a_merge_that_was_built_is_not_taken_for_terms_beside_the_base(
    opened, checkpoints, tensor, folder, monkeypatch
):
    """They differ by rounding, and what a run sees must not depend on what is stored."""
    asked = []
    score = LocalScorer.score
    monkeypatch.setattr(LocalScorer, "score", lambda *a, **k: asked.append(len(a[1])) or score(*a, **k))
    recipe = recipe_of(checkpoints, tensor, (0.9, 0.1))
    built = written(folder / "built", checkpoints["f"], tensor, (0.9, 0.1))
    built = Checkpoint.open("t", built.path, merge=tensor.spec((0.9, 0.1)))
    with opened() as bench:
        low_rank = bench.screen([recipe])[0]
        assert bench.screen([recipe])[0] == low_rank
        assert bench.screen.knows(recipe)
    with opened(extra=[built]) as bench:
        assert not bench.screen.knows(recipe)
        whole = bench.screen([recipe])[0]
    assert asked == [1, 1]
    assert 0 < abs(low_rank.values[0] - whole.values[0]) < 1e-3


def test_of_a_tensor_that_nobody_loaded_there_is_no_source(opened, checkpoints, tensor):
    recipe = recipe_of(checkpoints, tensor, (1.0, 0.0))
    with opened(conditioned=False) as bench:
        with pytest.raises(CheckpointError, match="source t: a pareto_merging tensor that is loaded, got digest "):
            bench.screen([recipe])
        assert bench.screen([Recipe.identity(checkpoints["b"].source, 3)])[0].valid


@pytest.mark.parametrize("seam", ["scale", "rotation:0123"])
def test_seams_are_not_fitted_for_every_preference(seam):
    check_unseamed("none")
    with pytest.raises(
        ConfigurationError, match=rf"seam: none with .*preference \(pareto_merging\), got {seam[:4]}\w+$"
    ):
        check_unseamed(seam)


def test_a_bench_with_seams_takes_no_tensor(opened):
    with opened(conditioned=False, seam="scale") as bench, pytest.raises(ConfigurationError, match=r"got scale$"):
        bench.condition(None, None)
