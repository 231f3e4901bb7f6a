"""Every parameter level, alone and under the architecture level, called as its users call it."""

import json
import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3 import evaluate, export, search, train
from hm3.runs import RunFolder
from tests.hm3.levels.conftest import LEVELS


@pytest.mark.parametrize("architecture", ["search", "none"])
@pytest.mark.parametrize("level", LEVELS)
def test_it_ends_with_a_front_and_a_model(ran, level, architecture):
    run = ran(level, architecture)
    front = run.read_front()
    assert all(member.scores.test for member in front.candidates)
    assert front.chosen_member.recipe.digest == json.loads((run.model / "recipe.json").read_text())["digest"]
    model = AutoModelForCausalLM.from_pretrained(run.model, dtype=torch.float32)
    assert model(torch.tensor([[1, 2, 3]])).logits.isfinite().all()


@pytest.mark.parametrize("level", LEVELS)
def test_alone_its_front_has_whole_models_only(ran, level):
    for member in ran(level, "none").read_front().candidates:
        [source] = member.recipe.sources
        assert not member.recipe.seams
        assert member.recipe.embedding_host == member.recipe.head_host == source.name


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "none"])
def test_alone_it_tries_merges(ran, level):
    assert ran(level, "none").read_front().evaluations > ran("none", "none").read_front().evaluations


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "none"])
def test_its_merges_are_sources_of_stacks(ran, level):
    merged = [model for model in ran(level, "search").read_front().sources if model.merge]
    assert merged
    pool = json.loads((ran(level, "search").path / "pool.json").read_text())
    assert {model.name for model in merged} <= {source["name"] for source in pool["content"]["sources"]}


def never(*_):
    raise AssertionError("the parameter level began anew")


@pytest.mark.parametrize("level", ["mm_mo", "pareto_merging"])
def test_another_preference_is_searched_without_merging_anew(ran, level, invoke, tmp_path, monkeypatch):
    run = ran(level, "search")
    monkeypatch.setattr("hm3.levels.MergeSearch.__call__", never)
    monkeypatch.setattr("hm3.levels.ParetoMerging.__call__", never)
    done = invoke(search.main, f"run='{run.path}'", "+preference.weights={words:1}", f"hydra.run.dir={tmp_path / 's'}")
    assert (done.code, done.err) == (0, "")
    assert RunFolder(tmp_path / "s").read_front().preference.as_dict() == {"sums": 0.0, "words": 1.0}


@pytest.mark.parametrize("level", ["mm_mo", "pareto_merging"])
@pytest.mark.parametrize("architecture", ["search", "none"])
def test_stock_lm_eval_says_the_same_of_its_whole_front(ran, level, architecture, invoke):
    done = invoke(evaluate.main, f"run='{ran(level, architecture).path}'", "candidates=all")
    assert done.code == 0
    assert float(done.out.split("largest difference")[1]) <= 1e-4


def test_any_preference_is_exported_from_one_training(ran, invoke, tmp_path):
    run, tensors = ran("pareto_merging", "none"), []
    for number, weights in enumerate(("{sums:1}", "{sums:0.123,words:0.877}")):
        out = tmp_path / str(number)
        words = (f"run='{run.path}'", "parameter=pareto_merging", f"+preference.weights={weights}", f"out={out}")
        done = invoke(export.main, *words)
        assert (done.code, done.err) == (0, "")
        tensors.append(AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).state_dict())
    name = next(name for name in tensors[0] if name.endswith("q_proj.weight"))
    assert not torch.equal(tensors[0][name], tensors[1][name])


def test_what_it_exports_is_built_again_from_its_recipe(ran, invoke, tmp_path, monkeypatch):
    run = ran("pareto_merging", "none")
    first, second = tmp_path / "first", tmp_path / "second"
    words = ("parameter=pareto_merging", "+preference.weights={sums:0.4,words:0.6}")
    assert invoke(export.main, f"run='{run.path}'", *words, f"out={first}").code == 0
    monkeypatch.setenv("HM3_CACHE", str(tmp_path / "an empty cache"))
    done = invoke(export.main, f"recipe={first}", f"out={second}")
    assert (done.code, done.err) == (0, "")
    for file in first.iterdir():
        assert (second / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.fixture
def moved(small, words, invoke, tmp_path, monkeypatch):
    """A run with a tensor whose given models and merges are nobody else's: `run`, `models` and `cache` in a folder."""
    monkeypatch.setenv("HM3_CACHE", str(tmp_path / "cache"))
    base, *experts = (shutil.copytree(path, tmp_path / "models" / name) for name, path in small.sources.items())
    near = (f"sources.experts.{name}.path={path}" for name, path in zip(("sums", "words"), experts, strict=True))
    stated = *words("pareto_merging"), f"sources.base={base}", *near, f"hydra.run.dir={tmp_path / 'run'}"
    assert invoke(train.main, *stated, "export=false").code == 0
    return tmp_path


@pytest.fixture
def exported(moved, invoke, monkeypatch):
    """The files of what is exported for a preference that the run did not know, with a cache as it was after it."""
    whole = shutil.copytree(moved / "cache", moved / "whole")

    def exported(out, *words, cache=whole):
        fresh = moved / f"cache for {out}"
        if cache is not None:
            shutil.copytree(cache, fresh)
        monkeypatch.setenv("HM3_CACHE", str(fresh))
        done = invoke(export.main, *words, f"out={moved / out}")
        if done.code:
            return done.err
        return {file.name: file.read_bytes() for file in (moved / out).iterdir()}

    return exported


ANY = ("parameter=pareto_merging", "+preference.weights={sums:0.4,words:0.6}")


def test_where_the_tensor_and_its_base_are_kept_nothing_else_is_needed(moved, exported):
    first = exported("first", f"run={moved / 'run'}", *ANY)
    assert exported("built", f"run={moved / 'run'}", *ANY, cache=None) == first
    shutil.rmtree(moved / "models")
    assert exported("second", f"run={moved / 'run'}", *ANY) == first
    assert exported("third", f"recipe={moved / 'first'}") == first
    line = exported("fourth", f"run={moved / 'run'}", *ANY, cache=None)
    assert line.startswith("error: source base")
    assert line.count("\n") == 1
    assert str(moved / "models") in line


def test_a_source_that_is_not_needed_is_not_written_over(moved, exported):
    line = exported("models/two", f"run={moved / 'run'}", *ANY, "overwrite=true")
    assert "neither in, at nor above a source" in line


def test_only_a_run_with_a_tensor_has_a_model_for_every_preference(ran, invoke, tmp_path):
    run = ran("mm_mo", "none")
    done = invoke(export.main, f"run='{run.path}'", "parameter=pareto_merging", f"out={tmp_path / 'm'}")
    assert done.code == 2
    assert done.err == f"error: parameter: a run with parameter=pareto_merging, got {run.path}\n"
