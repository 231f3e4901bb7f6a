"""lm-eval's own tasks that run code: refused before any work, or judged in the sandbox, or refused for good."""

import sys
from pathlib import Path
from types import SimpleNamespace

import datasets
import lm_eval.tasks
import pytest

from hm3.errors import TaskError
from tests.tiny_code_tasks import REFUSAL, items_of, loaded

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
LM_EVAL = Path(lm_eval.tasks.__file__).parent
ADDED = {
    "task_id": "HumanEval/0",
    "prompt": "def add(a, b):\n",
    "test": "def check(candidate):\n    assert candidate(2, 3) == 5",
    "entry_point": "add",
    "canonical_solution": "    return a + b",
}
DOUBLED = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "code": "def double(x):\n    return 2 * x",
    "test_list": ["assert double(1) == 2", "assert double(0) == 0", "assert double(-4) == -8"],
}


@pytest.fixture
def documents(monkeypatch):
    """Gives lm-eval's own tasks documents without a network, and their files a fresh import."""
    for name in ("humaneval", "mbpp", "cruxeval"):
        monkeypatch.delitem(sys.modules, f"lm_eval.tasks.{name}.utils", raising=False)
    asked = []

    def given(docs):
        def load(*_, **options):
            asked.append(options)
            return {"test": datasets.Dataset.from_list(docs)}

        monkeypatch.setattr(datasets, "load_dataset", load)

    return SimpleNamespace(given=given, asked=asked)


@pytest.mark.parametrize("name", ["humaneval", "mbpp", "cruxeval_input"])
def test_tasks_that_run_code_are_refused_before_any_work(name, documents):
    documents.given([ADDED])
    folder = LM_EVAL / name.split("_")[0]
    with pytest.raises(TaskError) as error:
        loaded(name, folder, allowed=False)
    assert str(error.value) == REFUSAL.format(name)
    assert documents.asked == []
    assert f"lm_eval.tasks.{folder.name}.utils" not in sys.modules


def test_humaneval_is_judged_in_the_sandbox(documents):
    documents.given([ADDED, ADDED, ADDED])
    items = items_of(loaded("humaneval", LM_EVAL / "humaneval"), name="humaneval")
    measures = items.measure(["    return a + b\n", "    return a * b\n", "    import os\n    os._exit(0)\n"])
    assert measures == {"pass@1,create_test": [1.0, 0.0, 0.0]}
    assert items.aggregate("pass@1,create_test", [1.0, 0.0, 0.0]) == pytest.approx(1 / 3)


def test_mbpp_is_judged_in_the_sandbox(documents):
    documents.given([DOUBLED, DOUBLED])
    items = items_of(loaded("mbpp", LM_EVAL / "mbpp"), name="mbpp")
    assert items.measure(["def double(x):\n    return x + x\n", "def double(x):\n    return 2\n"]) == {
        "pass_at_1": [1.0, 0.0]
    }


def test_a_task_that_runs_code_by_itself_is_refused_though_code_is_allowed(documents):
    documents.given([{"code": "def f(x):\n    return x", "input": "1", "output": "1", "id": "0"}])
    with pytest.raises(TaskError, match="judged by pass@1 or code_eval, got unsafe_code without them"):
        loaded("cruxeval_input", LM_EVAL / "cruxeval")
