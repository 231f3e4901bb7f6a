"""What `python -m hm3.evaluate` says of a run is said under the run's own prompts, device and type."""

import logging

import pytest

from hm3 import evaluate, train
from tests.small_run import SMALL

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
FEW = ("offline.rollouts=1", "online.refine=0", "rivals=0", "export=false")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def prompted(small, folder, invoke):
    """A run whose prompts begin with a system instruction, made once."""
    run = folder / "prompted"
    if not run.exists():
        settings = ["tasks.system_instruction='Add up.'", "evaluator.device=cpu", f"hydra.run.dir={run}"]
        done = invoke(train.main, *small.overrides, *SMALL, *FEW, *settings)
        assert (done.code, done.err) == (0, "")
    return run


def difference(invoke, run, *overrides):
    done = invoke(evaluate.main, f"run={run}", *overrides)
    assert done.code == 0, done.err
    return float(done.out.split("largest difference")[1])


def test_prompts_pass_through(prompted, invoke):
    assert difference(invoke, prompted) <= 1e-4


def test_another_type_is_told_apart(prompted, invoke):
    assert 0 < difference(invoke, prompted, "evaluator.dtype=bfloat16") < 0.1


def test_a_device_that_is_not_here_is_one_line(prompted, invoke):
    done = invoke(evaluate.main, f"run={prompted}", "evaluator.device=quantum")
    assert (done.code, done.err) == (2, "error: evaluator.device: auto or a device of here, got 'quantum'\n")


def test_a_type_that_rounds_is_warned_of(small, folder, invoke, caplog):
    with caplog.at_level(logging.WARNING):
        settings = ["evaluator.dtype=bfloat16", f"hydra.run.dir={folder / 'rounded'}"]
        assert invoke(train.main, *small.overrides, *SMALL, *FEW, *settings).code == 0
    assert "evaluator.dtype=bfloat16: scores and decisions may differ from those in float32" in caplog.messages
