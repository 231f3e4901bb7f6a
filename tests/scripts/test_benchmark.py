import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from rich.table import Table

from agents import RandomSearch
from envs import TableEvaluator, table_space
from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.evaluation.rows import Row
from hm3.recipe import Content, LayerRef, Recipe
from hm3.stacks import stack_tensors
from scripts.benchmark import __main__ as command
from scripts.benchmark.candidates import converging, free, near
from scripts.benchmark.ideal import Work, deal
from scripts.benchmark.loops import FreeEvaluator, agent_steps, environment_steps, legal_actions
from scripts.benchmark.passthrough import merge_to_disk, slices
from scripts.benchmark.registry import MODULES, benchmark
from scripts.benchmark.report import Kept, Report, rounded
from scripts.benchmark.throughput_figures import figures

SPACE = table_space(4)


def test_what_is_kept_is_not_made_again(tmp_path):
    file, made = tmp_path / "out.json.part", []
    for _ in range(2):
        kept = Kept(file, {"seed": 0})
        assert kept("first", lambda: made.append(1) or [1.5]) == [1.5]
    assert made == [1]
    assert Kept(file, {"seed": 1}).parts == {}
    kept.discard()
    assert not file.exists()


def test_every_registered_benchmark_runs():
    assert all(callable(benchmark(name)) for name in MODULES)


def test_the_last_line_is_the_summary(tmp_path, monkeypatch, capsys):
    out = tmp_path / "result.json"

    def run(request):
        request.kept("part", lambda: 3)
        assert (tmp_path / "result.json.part").is_file()
        return Report({"quick": request.quick, "seed": request.seed}, {"parts": request.kept.parts}, [Table("people")])

    monkeypatch.setitem(MODULES, "fake", "fake_benchmark")
    monkeypatch.setitem(sys.modules, "fake_benchmark", SimpleNamespace(run=run))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # which the command would set for good
    monkeypatch.setattr(sys, "argv", ["benchmark", "fake", "--quick", "--seed", "3", "--out", str(out)])
    command.main()
    said = capsys.readouterr().out
    assert "people" in said
    assert json.loads(said.splitlines()[-1]) == {"quick": True, "seed": 3}
    assert json.loads(out.read_text())["details"] == {"parts": {"part": 3}}
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_candidates_are_distinct_and_repeatable():
    for draw, other in ((near, free), (free, near)):
        drawn = draw(SPACE, 30, 0)
        assert len({recipe.digest for recipe in drawn}) == 30
        assert drawn == draw(SPACE, 30, 0) != other(SPACE, 30, 0)
    seams = [sum(len(recipe.seams) for recipe in draw(SPACE, 30, 0)) for draw in (near, free)]
    assert seams[0] < seams[1]


def test_a_converging_search_is_timed_on_new_stacks_only():
    table, asked = TableEvaluator(SPACE.pool), []

    def evaluator(recipes):
        asked.extend(recipe.digest for recipe in recipes)
        return table(recipes)

    evaluator.names = table.names
    rounds = list(converging(SPACE, evaluator, rollouts=2, count=100, seed=0))
    assert [stage for stage, _ in rounds][:2] == ["warming", "warming"]
    assert len(asked) == len(set(asked)) == len(SPACE.pool.sources) + sum(timed.count for _, timed in rounds)
    assert sum(timed.count for stage, timed in rounds if stage == "warm") >= 100


def test_the_ideal_counts_each_distinct_layer_application_once():
    a, b, c = ("x", 0), ("x", 1), ("y", 1)
    stacks = [Content("x", path, "x", "none") for path in ((a, b, c), (a, b), (a, c, b))]
    stacks.append(Content("y", (a, b), "x", "none"))
    # under x: a, ab (of abc), ac; the last layers are ends; under y: a
    assert Work.of(stacks) == Work(layers=4, ends=4, hosts=2)


def test_rows_are_dealt_like_cards():
    rows = [Row(tuple(range(length)), (1,)) for length in (3, 9, 5, 7)]
    first, second = deal(rows, 2)
    assert [len(row.tokens) for row in first] == [9, 5]
    assert [len(row.tokens) for row in second] == [3, 7]


def test_random_actions_are_legal_and_loops_go_on():
    searcher = RandomSearch(SPACE)
    assert len(FreeEvaluator()(searcher.ask(3))) == 3
    assert environment_steps(SPACE, episodes=8, seconds=0.01, seed=0) > 0
    assert agent_steps(SPACE, seconds=0.01, seed=0) > 0
    masks = np.eye(4, dtype=bool)
    assert legal_actions(masks, np.random.default_rng(0)).tolist() == [0, 1, 2, 3]


@pytest.fixture(scope="module")
def sources():
    return {name: Checkpoint.open(name, zoo.source_path(name)) for name in ("base", "math", "code")}


@pytest.fixture
def recipe(sources):
    path = [LayerRef("base", 0), LayerRef("base", 1), LayerRef("code", 1), LayerRef("code", 1), LayerRef("base", 2)]
    return Recipe.build(path, "math", "code", {name: one.source for name, one in sources.items()})


def test_an_empty_slice_at_either_end_names_the_host(recipe, sources):
    said = [
        (one["sources"][0]["model"].split("/")[-1], one["sources"][0]["layer_range"]) for one in slices(recipe, sources)
    ]
    assert said == [
        ("math", [0, 0]),
        ("base", [0, 2]),
        ("code", [1, 2]),
        ("code", [1, 2]),
        ("base", [2, 3]),
        ("code", [0, 0]),
    ]


def content(file, entry):
    return file.read_bytes()[entry.start : entry.stop]


@pytest.mark.filterwarnings("ignore")  # mergekit's own
def test_the_rival_merges_the_same_model(recipe, sources, tmp_path):
    merged = Checkpoint.open("merged", merge_to_disk(recipe, sources, tmp_path / "model"))
    ours = {tensor.name: tensor for tensor in stack_tensors(recipe, sources)}
    assert merged.depth == 5
    assert set(merged.tensor_names) == set(ours)
    assert all(content(*merged.place(name)) == content(one.file, one.entry) for name, one in ours.items())


def test_figures_are_ratios_of_seconds_a_candidate():
    ours = {"seconds": 2.0, "own_peak": 10, "workers_peak": 3}
    rival = {
        "simple": {"scores": {"t/m": 0.5}, "decisions": {"t": [1.0, 0.0]}, "seconds": 3.0},
        "tuned": {"scores": {"t/m": 0.5}, "decisions": {"t": [1.0, 1.0]}, "seconds": 1.5},
    }
    parts = {
        **{f"ours/{name}/{number}": ours for name in ("near", "free") for number in (0, 1)},
        **{f"rival/{name}/0": [rival] for name in ("near", "free")},
        "screen/0": {"seconds": 0.5, "again": 0.5, "front": 2},
        "settings": {"64 requests, 2 threads": 1.0},
        "warm": {"warming": [[5, 1.0]], "warm": [[4, 0.1], [6, 0.3]], "hit_rate": 0.5, "workers_peak": 7},
        "answers": [{"scores": {"t/m": 0.5 + 1e-6}, "decisions": {"t": [1.0, 0.0]}}] * 2,
    }
    summary = figures(parts, 10).summary
    assert summary["ratio_cold_near"] == summary["ratio_cold_free"] == 15.0  # 3 s against 0.2 s
    assert summary["ratio_cold_near_tuned"] == 7.5
    assert summary["ratio_warm"] == 75.0  # 0.04 s
    assert summary["ratio_screen"] == 30.0
    assert summary["max_score_difference"] == pytest.approx(1e-6)
    assert (summary["flipped"], summary["compared"]) == (2, 8)
    assert summary["peak_rss"] == 17


def test_figures_have_so_many_digits():
    assert [rounded(value) for value in (123456.0, 0.00123456)] == [123500.0, 0.001235]
