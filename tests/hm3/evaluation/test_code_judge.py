"""pass@k of programs, and when they run."""

import os

import pytest

from hm3.evaluation.code_judge import CodeJudge
from hm3.evaluation.code_tasks import JUDGE
from hm3.evaluation.sandbox import Limits, run_all
from tests.tiny_code_tasks import items_of, loaded, write_task

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]


@pytest.fixture(scope="module")
def include(tmp_path_factory):
    return write_task(tmp_path_factory.mktemp("tasks"))


def test_right_programs_pass_and_wrong_ones_do_not(include):
    items = items_of(loaded("written", include), 4)
    right = [doc["answer"].strip() for doc in items.docs]
    measures = items.measure([right[0], "1 +", "__import__('os')._exit(0)", right[3]])
    assert measures == {"pass@1": [1.0, 0.0, 0.0, 1.0]}
    assert items.aggregate("pass@1", measures["pass@1"]) == 0.5


def test_programs_of_many_questions_run_at_once_and_only_once(include, monkeypatch):
    calls = []

    def spied(cases, limits, processes=1):
        calls.append((len(cases), processes))
        return run_all(cases, limits, processes)

    monkeypatch.setattr("hm3.evaluation.code_judge.run_all", spied)
    items = items_of(loaded("written", include), 3)
    assert items.measure(["1 +"] * 3) == {"pass@1": [0.0] * 3}
    assert [call for call in calls if call[0]] == [(3, len(os.sched_getaffinity(0)))]


def test_every_answer_of_the_zoo_is_a_program_that_passes(include):
    items = items_of(loaded("written", include), 20)
    measures = items.measure([doc["answer"].strip() for doc in items.docs])
    assert measures == {"pass@1": [1.0] * 20}


def test_shares_of_several_answers_are_those_of_code_eval():
    judge = CodeJudge(Limits())
    right, wrong = "x = 1", "x = 2"
    shares, verdicts = judge.compute(["assert x == 1"] * 2, [[right, wrong, wrong], [wrong, wrong, wrong]], k=[1, 2, 4])
    assert shares == pytest.approx({"pass@1": (1 / 3 + 0) / 2, "pass@2": (2 / 3 + 0) / 2})
    assert [verdict.passed for verdict in verdicts[0]] == [True, False, False]


def test_scores_under_other_limits_are_other_scores(include, monkeypatch):
    task = loaded("written", include)
    usual = items_of(task, 2).digest
    monkeypatch.setattr(JUDGE, "limits", Limits(seconds=1))
    assert items_of(task, 2).digest != usual
