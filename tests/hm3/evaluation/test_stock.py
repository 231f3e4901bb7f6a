"""Whatever HM3 reports for a stack, stock lm-eval prints for the exported model."""

from types import SimpleNamespace

import pytest

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.evaluation import load_tasks, split
from hm3.machine import Items, Machine
from hm3.model_folder import write_model
from hm3.objectives import Objective
from hm3.recipe import LayerRef, Recipe
from hm3.stock import stock_metrics
from hm3.workbench import Workbench
from tests.tiny import write_checkpoint
from tests.tiny_tasks import TASKS, documents, write_tasks

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
LOCAL = Machine(device="cpu", workers=0)
SCREEN_OF_FOUR = Items(screen=4)
METRICS = {"sums": "likelihood", "shots": "likelihood", "choose": "acc_norm", "write": "letters"}


def opened(sources, names, include, folder, items=SCREEN_OF_FOUR):
    objectives = [Objective(name, name, METRICS.get(name, "answer_likelihood")) for name in names]
    store = folder / "store.sqlite"
    return Workbench.open(sources, objectives, include=[include], store=store, machine=LOCAL, items=items)


def stock(recipe, checkpoints, names, include, folder, test_items=None):
    """lm-eval on the exported model, with tasks that nobody else has touched."""
    tasks = load_tasks(names, [include])
    numbers = {name: list(split(name, task, None, test_items).test) for name, task in tasks.items()}
    return stock_metrics(write_model(folder / "model", recipe, checkpoints, ""), tasks, numbers)


def mixed(checkpoints, path, embedding, head):
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    return Recipe.build([LayerRef(*ref) for ref in path], embedding, head, sources)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    raw = write_checkpoint(folder / "raw")
    paths = {name: write_checkpoint(folder / name, near=raw, noise=0.15, seed=i) for i, name in enumerate("ab")}
    checkpoints = {name: Checkpoint.open(name, path) for name, path in paths.items()}
    path = [("a", 0), ("b", 1), ("b", 1), ("a", 3)]
    return SimpleNamespace(checkpoints=checkpoints, recipe=mixed(checkpoints, path, "a", "b"))


def check_same(lab, include, folder, names=TASKS):
    with opened(lab.checkpoints.values(), names, include, folder) as bench:
        (ours,) = bench.test.reports([lab.recipe])
    theirs = stock(lab.recipe, lab.checkpoints, list(names), include, folder)
    assert set(ours.metrics) == set(theirs)
    assert ours.metrics == pytest.approx(theirs, abs=1e-6)
    return ours


def test_every_kind_of_task_gets_stock_numbers(lab, tmp_path):
    report = check_same(lab, write_tasks(tmp_path / "tasks"), tmp_path)
    assert set(report.metrics) == {
        "sums/likelihood", "sums/exact_match", "shots/likelihood", "shots/exact_match", "choose/acc", "choose/acc_norm",
        "write/letters", "write/exact_match",
    }  # fmt: skip
    assert report.scores.as_dict() == {
        "sums": report.metrics["sums/likelihood"],
        "shots": report.metrics["shots/likelihood"],
        "choose": report.metrics["choose/acc_norm"],
        "write": report.metrics["write/letters"],
    }


def test_an_empty_context_gets_stock_numbers(lab, tmp_path):
    include = write_tasks(tmp_path / "tasks", sums='doc_to_text: ""', choose='doc_to_text: ""')
    check_same(lab, include, tmp_path, ("sums", "choose"))


def test_a_prompt_longer_than_the_models_limit_gets_stock_numbers(lab, tmp_path):
    test = [{**doc, "question": f"{i} " * 150 + doc["question"]} for i, doc in enumerate(documents(100, 3))]
    include = write_tasks(tmp_path / "tasks", {"search": documents(0, 4), "test": test})
    check_same(lab, include, tmp_path, ("sums", "choose"))


def test_filters_and_lists_of_metrics_get_stock_numbers(lab, tmp_path):
    filters = """
filter_list:
  - name: letters-only
    filter: [{function: regex, regex_pattern: "([a-z]+)"}, {function: take_first}]
  - name: whole
    filter: [{function: take_first}]
"""
    mutual = """
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_mutual_info, aggregation: mean, higher_is_better: true}
"""
    include = write_tasks(tmp_path / "tasks", write=filters, choose=mutual)
    objectives = [Objective("w", "write", "letters,whole"), Objective("c", "choose", "acc_mutual_info")]
    parts = {"include": [include], "store": tmp_path / "store", "machine": LOCAL, "items": Items()}
    with Workbench.open(lab.checkpoints.values(), objectives, **parts) as bench:
        (ours,) = bench.test.reports([lab.recipe])
    theirs = stock(lab.recipe, lab.checkpoints, ["write", "choose"], include, tmp_path)
    assert {"write/letters,whole", "write/letters,letters-only", "choose/acc_mutual_info"} <= set(theirs)
    assert ours.metrics == pytest.approx(theirs, abs=1e-6)


def test_the_zoos_tasks_get_stock_numbers(tmp_path):
    checkpoints = {name: Checkpoint.open(name, zoo.source_path(name)) for name in ("base", "math")}
    depth = checkpoints["base"].depth
    path = [("base", 0), *(("math", layer) for layer in range(depth)), ("base", depth - 1)]
    recipe = mixed(checkpoints, path, "math", "math")
    names = ["hm3_math", "hm3_code", "hm3_translation"]
    with opened(checkpoints.values(), names, zoo.TASKS, tmp_path, items=Items(test=24)) as bench:
        (ours,) = bench.test.reports([recipe])
    theirs = stock(recipe, checkpoints, names, zoo.TASKS, tmp_path, test_items=24)
    assert ours.metrics == pytest.approx(theirs, abs=1e-6)
