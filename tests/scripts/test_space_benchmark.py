"""Fronts against the front of all runs together."""

import pytest
from hydra import compose, initialize_config_dir

from hm3.composition.searcher import agent_builder
from scripts.benchmark.space.figures import outcome
from scripts.benchmark.space.runs import AGENTS, Limit, Run
from scripts.benchmark.zoo import CONF

LIMIT = Limit("evaluations", 24)


def part(agent, front, seed=0):
    fronts = dict.fromkeys(("search", "test"), front)
    return {"agent": agent, "limit": str(LIMIT), "seed": seed, "evaluations": 24, "seconds": 1.0, "fronts": fronts}


def test_who_has_the_whole_front_has_all_of_its_volume():
    everything = [[1.0, 0.5], [0.5, 1.0], [0.8, 0.8]]
    parts = [part("ppo", everything), part("random", everything[:2])]
    found = outcome(parts, ("ppo", "random"), (LIMIT,)).details["agents"]["24 evaluations"]
    assert found["ppo"]["test"] == {"nadir": [1.0] * 3, "zero": [1.0] * 3}
    # from zero 1 x 0.5 + 0.5 x 0.5 of 0.84; from 0.45, a tenth of 0.5 below the nadir, 0.0525 of 0.1425
    assert found["random"]["test"]["zero"][0] == pytest.approx(0.75 / 0.84, rel=1e-3)
    assert found["random"]["test"]["nadir"][0] == pytest.approx(0.0525 / 0.1425, rel=1e-3)


def test_runs_have_names_of_their_own():
    runs = [
        Run(agent, seed, limit, False) for agent in AGENTS for seed in (0, 1) for limit in (LIMIT, Limit("minutes", 1))
    ]
    assert len({run.name for run in runs}) == len(runs)


@pytest.mark.parametrize("agent", AGENTS)
def test_every_agent_is_one_of_the_configuration(agent):
    overrides = AGENTS[agent][1]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [*overrides])
    assert callable(agent_builder(config.agent))
