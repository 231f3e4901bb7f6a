"""Tasks whose answers are programs: refused unless that is allowed, then scored like any other."""

import os

import pytest

from hm3 import train, zoo
from hm3.checkpoints import Checkpoint
from hm3.errors import TaskError
from hm3.evaluation import load_tasks
from hm3.evaluation.code_tasks import JUDGE, judge_of
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.recipe import Recipe
from hm3.stock import stock_metrics
from hm3.workbench import Workbench
from tests.tiny_code_tasks import REFUSAL, WRITTEN, loaded, write_task

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]


@pytest.fixture(scope="module")
def include(tmp_path_factory):
    return write_task(tmp_path_factory.mktemp("tasks"))


def test_a_task_of_ones_own_is_refused_unless_code_is_allowed(include):
    with pytest.raises(TaskError) as error:
        loaded("written", include, allowed=False)
    assert str(error.value) == REFUSAL.format("written")


def test_a_list_of_assertions_is_refused_since_one_of_them_would_do(tmp_path):
    text = WRITTEN.replace("\"{{assertions | join('\\n')}}\"", "assertions")
    assert text != WRITTEN
    with pytest.raises(TaskError, match="all assertions as one text, got a list"):
        loaded("written", write_task(tmp_path, text))


def test_what_was_imported_while_code_was_allowed_is_refused_later(tmp_path):
    (tmp_path / "judge.py").write_text("import evaluate\n\nMETRIC = evaluate.load('code_eval')\n" + _JUDGE)
    text = WRITTEN.replace("metric: pass@1", "metric: !function judge.passed")
    (tmp_path / "stated.yaml").write_text(text.replace("task: written", "task: stated\nunsafe_code: true"))
    (tmp_path / "unstated.yaml").write_text(text.replace("task: written", "task: unstated"))
    tasks = load_tasks(["stated", "unstated"], [tmp_path], allow_code_execution=True)
    assert [judge_of(task) for task in tasks.values()] == [JUDGE, JUDGE]
    with pytest.raises(TaskError, match="task unstated: runs code"):
        loaded("unstated", tmp_path, allowed=False)


_JUDGE = """
def passed(references, predictions):
    return METRIC.compute(references=references, predictions=predictions, k=[1])[0]["pass@1"]
"""


def test_hugging_faces_own_consent_does_not_count(include, monkeypatch):
    import evaluate

    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    load = evaluate.load
    loaded("written", include)
    assert "HF_ALLOW_CODE_EVAL" not in os.environ
    assert evaluate.load is load


def opened(include, folder, *, allowed):
    return Workbench.open(
        [Checkpoint.open("code", zoo.source_path("code"))],
        [Objective("written", "written", "pass@1")],
        include=[include],
        store=folder / "store.sqlite",
        machine=Machine(device="cpu", workers=0, allow_code_execution=allowed),
        items=Items(screen=8, search=8, test=24),
    )


def test_a_bench_refuses_unless_it_is_told_otherwise(include, tmp_path):
    with pytest.raises(TaskError, match=r"evaluator\.allow_code_execution must allow"):
        opened(include, tmp_path, allowed=False)
    assert list(tmp_path.iterdir()) == []


def test_a_command_says_in_one_line_what_to_set(include, invoke, small, tmp_path):
    objective = "tasks.objectives.sums={task:written,metric:pass@1}"
    settings = [
        *small.overrides,
        f"tasks.include=['{include}','{small.tasks}']",
        objective,
        f"hydra.run.dir={tmp_path}",
    ]
    assert invoke(train.main, *settings).err == f"error: {REFUSAL.format('written')}\n"
    maybe = invoke(train.main, *settings, "evaluator.allow_code_execution=maybe")
    assert maybe.err == "error: evaluator.allow_code_execution: true or false, got 'maybe'\n"


def test_a_model_of_the_zoo_writes_programs_that_pass_here_and_in_stock_lm_eval(include, tmp_path):
    with opened(include, tmp_path, allowed=True) as bench:
        (checkpoint,) = bench.checkpoints.values()
        recipe = Recipe.identity(checkpoint.source, checkpoint.depth)
        (report,) = bench.test.reports([recipe])
    task = loaded("written", include)
    numbers = {"written": range(24)}
    assert report.metrics["written/pass@1"] > 0.8
    assert stock_metrics(zoo.source_path("code"), {"written": task}, numbers) == report.metrics
