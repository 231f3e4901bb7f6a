"""From recipes to scores: what the store saves, what a broken model gives, and what a wrong objective is told."""

import multiprocessing
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hm3.archive import ParetoArchive, Status
from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, OutputError, TaskError
from hm3.evaluation import LocalScorer, load_tasks
from hm3.evaluation.tasks import TaskItems
from hm3.machine import Items, Machine
from hm3.objectives import Candidate, Objective
from hm3.recipe import LayerRef, Recipe
from hm3.workbench import Workbench
from tests.tiny import write_checkpoint
from tests.tiny_tasks import documents, write_tasks

SUMS = Objective("sums", "sums", "likelihood")
LOCAL = Machine(device="cpu", workers=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def include(folder):
    return write_tasks(folder / "tasks")


@pytest.fixture(scope="module")
def checkpoints(folder):
    paths = {name: write_checkpoint(folder / name, seed=i) for i, name in enumerate("ab")}
    return {name: Checkpoint.open(name, path) for name, path in paths.items()}


@pytest.fixture
def lab(checkpoints, include, tmp_path):
    """Opens benches on one store."""

    def opened(objectives=(SUMS,), sources=checkpoints, **options):
        options = {"include": [include], "machine": LOCAL, "items": Items(screen=4), **options}
        return Workbench.open(sources.values(), objectives, store=tmp_path / "store.sqlite", **options)

    return opened


@pytest.fixture
def asked(monkeypatch):
    """Stacks that were really scored."""
    stacks = []
    score = LocalScorer.score

    def spied(self, contents, row_set, exits=(), *seams):
        stacks.extend((content, row_set) for content in contents)
        return score(self, contents, row_set, exits, *seams)

    monkeypatch.setattr(LocalScorer, "score", spied)
    return stacks


def recipe_of(checkpoints, *layers, host="a"):
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    return Recipe.build([LayerRef(layer[0], int(layer[1])) for layer in layers], host, host, sources)


def test_a_recipe_that_comes_twice_is_run_once(lab, checkpoints, asked):
    one, other = recipe_of(checkpoints, "a0", "b1"), recipe_of(checkpoints, "a0", "b2")
    with lab() as bench:
        scores = bench.screen([one, other, one])
        again = bench.screen([other])
    assert scores[0] == scores[2] != scores[1] == again[0]
    assert len(asked) == 2
    assert bench.screen.evaluations == bench.evaluations == 2


def test_a_later_run_asks_the_store_and_counts_the_same(lab, checkpoints, asked):
    recipes = [recipe_of(checkpoints, "a0", f"b{i}") for i in range(3)]
    with lab() as bench:
        first, report = bench.search(recipes), bench.search.reports(recipes)
        assert not bench.test.knows(recipes[0])
    ran = len(asked)
    with lab() as bench:
        assert bench.search(recipes) == first
        assert [each.metrics for each in bench.search.reports(recipes)] == [each.metrics for each in report]
        assert bench.evaluations == 3
        assert bench.search.knows(recipes[0])
    assert len(asked) == ran == 6  # screen and rest, once each


def test_the_whole_search_split_does_not_run_the_screen_again(lab, checkpoints, asked):
    recipe = recipe_of(checkpoints, "a0", "b1")
    with lab() as bench:
        bench.screen([recipe])
        bench.search([recipe])
    assert [row_set for _, row_set in asked] == [0, 1]


def test_the_store_knows_a_model_by_content_not_by_name_or_place(lab, checkpoints, asked, tmp_path):
    with lab() as bench:
        first = bench.screen([recipe_of(checkpoints, "a0", "b1")])
    paths = {name: shutil.copytree(checkpoints[old].path, tmp_path / name) for name, old in (("x", "a"), ("y", "b"))}
    moved = {name: Checkpoint.open(name, path) for name, path in paths.items()}
    with lab(sources=moved) as bench:
        assert bench.screen([recipe_of(moved, "x0", "y1", host="x")]) == first
    assert len(asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"machine": Machine(device="cpu", workers=0, dtype="bfloat16")},
        {"items": Items(screen=5)},
        {"objectives": [Objective("choose", "choose", "acc")]},
    ],
    ids=["dtype", "items", "task"],
)
def test_the_store_keeps_apart_what_differs(lab, checkpoints, asked, change):
    recipe = recipe_of(checkpoints, "a0", "b1")
    for options in ({}, change):
        with lab(**options) as bench:
            bench.screen([recipe])
    assert len(asked) == 2


def test_the_store_keeps_apart_tasks_that_judge_differently(lab, checkpoints, asked, tmp_path):
    """Same name, documents and requests: only the function that judges has changed."""
    include = write_tasks(tmp_path / "tasks")
    text = (include / "data.py").read_text()
    for rule in (text, text.replace('len(doc["answer"])', '(1 + len(doc["answer"]))')):
        (include / "data.py").write_text(rule)
        with lab(include=[include]) as bench:
            bench.screen([recipe_of(checkpoints, "a0", "b1")])
    assert len(asked) == 2


def test_few_shot_prompts_are_the_same_in_every_process(include):
    """lm-eval draws examples from an unseeded generator unless it is told."""
    prompts = [
        [request.arguments for request in TaskItems.build("shots", task, dict(enumerate(task.eval_docs))).instances]
        for task in (load_tasks(["shots"], [include])["shots"] for _ in range(2))
    ]
    assert prompts[0] == prompts[1]
    assert prompts[0][0][0].count("=") == 3  # two examples and the question


def test_the_examples_of_the_report_do_not_depend_on_what_was_built_before(include):
    task = load_tasks(["shots"], [include])["shots"]
    docs = dict(enumerate(task.eval_docs))
    first = TaskItems.build("shots", task, docs)
    assert TaskItems.build("shots", task, docs).digest == first.digest


def test_a_search_split_that_is_all_in_the_screen_is_scored(lab, checkpoints):
    recipe = recipe_of(checkpoints, "a0", "b1")
    with lab([SUMS, Objective("write", "write", "letters")], items=Items(screen=64)) as bench:
        assert bench.search([recipe]) == bench.screen([recipe])


def test_two_objectives_may_share_a_task(lab, checkpoints):
    objectives = [
        Objective("right", "choose", "acc"),
        SUMS,
        Objective("depth", "", "depth"),
        Objective("normed", "choose", "acc_norm"),
    ]
    with lab(objectives) as bench:
        (report,) = bench.test.reports([recipe_of(checkpoints, "a0", "b1", "b2")])
    assert report.scores.names == ("right", "sums", "depth", "normed")
    assert report.scores.values == (
        report.metrics["choose/acc"],
        report.metrics["sums/likelihood"],
        -3.0,
        report.metrics["choose/acc_norm"],
    )
    means = [float(np.mean(items)) for items in report.items]
    assert means == pytest.approx(report.scores.values)


def test_an_unknown_metric_is_answered_with_the_known_ones_before_any_work(lab, asked):
    with pytest.raises(TaskError, match="task sums: metrics are likelihood, exact_match, got 'accuracy'"):
        lab([Objective("sums", "sums", "accuracy")])
    assert not asked


def test_a_metric_of_which_less_is_better_is_no_objective(lab, tmp_path):
    loss = "metric_list:\n  - {metric: likelihood, aggregation: mean, higher_is_better: false}\n"
    with pytest.raises(TaskError, match="task sums: a metric of which more is better, got 'likelihood'"):
        lab(include=[write_tasks(tmp_path / "tasks", sums=loss)])


def test_a_metric_left_out_is_the_only_one_or_acc(lab, tmp_path):
    one = "process_results: null\nmetric_list:\n  - {metric: exact_match, aggregation: mean, higher_is_better: true}\n"
    include = write_tasks(tmp_path / "tasks", write=one)
    with lab([Objective("write", "write", ""), Objective("choose", "choose", "")], include=[include]) as bench:
        assert [objective.metric for objective in bench.objectives] == ["exact_match", "acc"]


def test_a_metric_left_out_where_several_could_be_meant_is_asked_for(lab):
    with pytest.raises(TaskError, match="task sums: a metric, one of likelihood, exact_match, got none"):
        lab([Objective("sums", "sums", "")])


def test_metrics_whose_values_are_no_numbers_survive_the_store(lab, checkpoints, tmp_path):
    """f1 keeps a pair of labels for each document, one of them NumPy's."""
    f1 = "metric_list:\n  - {metric: f1, aggregation: f1, higher_is_better: true}\n"
    two = [{**doc, "choices": doc["choices"][:2], "label": i % 2} for i, doc in enumerate(documents(0, 12))]
    include = write_tasks(tmp_path / "tasks", {"search": two[:8], "test": two[8:]}, choose=f1)
    recipe, scores = recipe_of(checkpoints, "a0", "b1"), []
    for _ in range(2):
        with lab([Objective("f1", "choose", "f1")], include=[include]) as bench:
            report = bench.search.reports([recipe])[0]
            scores.append(report.scores.values)
            assert report.items == (None,)  # no mean of items: nothing to resample
    assert scores[0] == scores[1]


def test_a_failure_to_open_leaves_no_process_behind(lab, tmp_path):
    (tmp_path / "store.sqlite").write_text("no database" * 100)
    with pytest.raises(OutputError):
        lab(machine=Machine(device="cpu", workers=1))
    assert not multiprocessing.active_children()


@pytest.fixture(params=["nan", "inf"])
def broken(request, checkpoints, tmp_path):
    """A source with a weight that is no number."""
    path = shutil.copytree(checkpoints["b"].path, tmp_path / "broken")
    weights = load_file(path / "model.safetensors")
    weights["model.layers.1.mlp.down_proj.weight"][0, 0] = float(request.param)
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    return {**checkpoints, "c": Checkpoint.open("c", path)}


@pytest.mark.parametrize(
    "objective",
    [SUMS, Objective("acc", "choose", "acc", floor=0.33), Objective("write", "write", "letters")],
    ids=["likelihood", "acc", "generation"],
)
def test_a_model_that_gives_no_numbers_is_the_worst_and_ends_nothing(lab, broken, objective):
    sound, bad = recipe_of(broken, "a0", "c0", "c2"), recipe_of(broken, "a0", "c1", "c2")
    with lab([objective, Objective("depth", "", "depth")], sources=broken) as bench:
        for scores in (bench.screen([bad, sound]), bench.screen([bad, sound])):  # fresh, then from the store
            assert not scores[0].valid
            assert scores[0].values == (0.0, -3.0)
            assert scores[1].valid
        report = bench.test.reports([bad])[0]
    assert np.isnan(report.items[0]).all()
    archive = ParetoArchive()
    assert archive.add(Candidate(bad, scores[0])).status is Status.DOMINATED
    assert len(archive) == 0


def test_the_last_layer_alone_can_break_a_model(lab, broken):
    with lab(sources=broken) as bench:
        scores = bench.screen([recipe_of(broken, "c1"), recipe_of(broken, "a0", "c1"), recipe_of(broken, "a0")])
    assert [each.valid for each in scores] == [False, False, True]


def test_a_source_that_was_dropped_is_unknown(lab, checkpoints):
    with lab() as bench:
        bench.drop("b")
        with pytest.raises(CheckpointError, match="must be one of the loaded sources"):
            bench.screen([recipe_of(checkpoints, "a0", "b1")])


def test_what_is_scored_in_memory_is_what_the_harness_runs(lab, checkpoints):
    """The same task by rows and by lm-eval's own model."""
    recipe = recipe_of(checkpoints, "a0", "b1", "b1")
    with lab() as bench:
        part = bench.screen._parts[0]
        rows = bench._benchmark.scorer.score([recipe.content], part.row_set)
        answers = bench._benchmark._harness(recipe, part.items[0].instances)
    assert [answer[0] for answer in answers] == pytest.approx(rows.log_likelihood[0].tolist(), abs=1e-5)
    assert torch.tensor([answer[1] for answer in answers]).equal(rows.greedy[0])
