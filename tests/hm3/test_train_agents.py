"""The main job with every agent that the configuration names."""

import json

import pytest

from hm3 import train
from hm3.runs import RunFolder

PLAIN = ("parameter=none", "rivals=0", "export=false")


@pytest.mark.parametrize("agent", ["random", "local_search", "surrogate_ppo", "nsga3", "regularised_evolution"])
def test_every_agent_searches(small, invoke, tmp_path, agent):
    done = invoke(train.main, *small.overrides, *PLAIN, f"agent={agent}", f"hydra.run.dir={tmp_path}")
    assert (done.code, done.err) == (0, "")
    front = RunFolder(tmp_path).read_front()
    assert front.candidates
    assert front.hypervolume is not None


def test_a_mistyped_setting_of_an_agent_is_one_line(small, invoke, tmp_path):
    wrong = ("agent=surrogate_ppo", "+agent.widht=64")
    done = invoke(train.main, *small.overrides, *PLAIN, *wrong, f"hydra.run.dir={tmp_path}")
    assert (done.code, done.err) == (2, "error: agent: settings that SurrogatePPO and PPO take, got widht\n")


def test_an_agent_that_learns_more_from_fewer_is_asked_for_fewer(small, invoke, tmp_path):
    few = ("agent=surrogate_ppo", "agent.batch=2", "agent.initial=1")
    done = invoke(train.main, *small.overrides, *PLAIN, *few, f"hydra.run.dir={tmp_path}")
    assert (done.code, done.err) == (0, "")
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "offline/rollout" in row]
    assert steps[1] - steps[0] == 2
