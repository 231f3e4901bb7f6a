"""The main job with early exits, in reward and observation."""

import pytest

from hm3 import search, train
from hm3.composition.trained_on import check_pool
from hm3.errors import ConfigurationError
from hm3.runs import RunFolder
from hm3.sealed import unsealed

EXITS = ("env.exits=true", "agent.credit._target_=agents.Potential", "parameter=none", "rivals=0", "export=false")
QUIET = ("hydra/job_logging=none", "hydra/hydra_logging=none")


@pytest.fixture
def trained(small, invoke, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "with exits"
    if not folder.exists():
        done = invoke(train.main, *small.overrides, *EXITS, f"hydra.run.dir={folder}")
        assert (done.code, done.err) == (0, "")
    return RunFolder(folder)


def test_the_policy_goes_on_seeing_exits_when_it_proposes(trained, invoke, tmp_path):
    assert unsealed(trained.path / "pool.json")["exits"] is True
    weights = "+preference.weights={words:1}"
    done = invoke(search.main, f"run={trained.path}", weights, f"hydra.run.dir={tmp_path / 'searched'}", *QUIET)
    assert (done.code, done.err) == (0, "")
    assert RunFolder(tmp_path / "searched").read_front().preference.as_dict() == {"sums": 0.0, "words": 1.0}


def test_a_policy_that_saw_exits_cannot_propose_without(trained):
    with pytest.raises(ConfigurationError, match=r"env\.exits: true, as when .*with exits was trained, got false"):
        check_pool(None, exits=False, run=trained)


def test_exits_are_true_or_false(small, invoke, tmp_path):
    done = invoke(train.main, *small.overrides, "env.exits=some", f"hydra.run.dir={tmp_path / 'run'}")
    assert (done.code, done.err) == (2, "error: env.exits: true or false, got 'some'\n")
