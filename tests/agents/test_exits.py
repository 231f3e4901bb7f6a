"""Agents whose observations show early exits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO

from agents import PPO, FlatPath, Potential, RecurrentPath, StackVecEnv
from envs import Dirichlet, Episodes, Exits, TableEvaluator, table_space
from hm3.errors import ConfigurationError
from hm3.judged import Judged
from hm3.objectives import Tchebycheff
from hm3.offline import explore

torch.set_num_threads(1)
PLAIN = table_space(4)
TABLE = TableEvaluator(PLAIN.pool)
SPACE = replace(PLAIN, exits=Exits(TABLE, TABLE.normaliser()))
GIVEN = (TABLE.normaliser(), Tchebycheff(), Dirichlet(3))


def test_policy_and_value_see_what_stands():
    one = PPO(SPACE, *GIVEN)
    episodes = Episodes(SPACE, 1)
    episodes.reset(np.array([[0.2, 0.3, 0.5]]))
    seen, masks = episodes.observe(), episodes.masks()
    others = {**seen, "exits": np.array([[1.0, 0.9, 0.1, 0.4]], dtype=np.float32)}
    (log_probs, values), (other_log_probs, other_values) = (
        one.policy.assess(seen, masks),
        one.policy.assess(others, masks),
    )
    assert (log_probs != other_log_probs).any()
    assert values != other_values


@pytest.mark.parametrize("encoder", [FlatPath, RecurrentPath])
@pytest.mark.parametrize("credit", [None, Potential()])
def test_training_and_proposals_work_as_without(encoder, credit):
    learner = PPO(SPACE, *GIVEN, encoder=encoder, credit=credit, rollouts=2)
    for _ in explore(learner, TABLE, Judged(GIVEN[0]), rollouts=2, episodes=12):
        pass
    assert all(np.isfinite(list(learner.metrics.values())))
    proposed = learner.propose(np.eye(3), 4, rng=np.random.default_rng(0))
    assert 4 <= len(proposed) <= 12
    assert proposed == learner.propose(np.eye(3), 4, rng=np.random.default_rng(0))


def test_a_policy_that_saw_exits_cannot_do_without(tmp_path):
    PPO(SPACE, *GIVEN).save(tmp_path)
    PPO(SPACE, *GIVEN).restore(tmp_path)
    with pytest.raises(ConfigurationError, match="policy: trained on this space"):
        PPO(PLAIN, *GIVEN).restore(tmp_path)


def test_any_sb3_algorithm_sees_them_too():
    env = StackVecEnv(4, PLAIN, TABLE, *GIVEN, exits=True)
    model = MaskablePPO("MultiInputPolicy", env, n_steps=8, batch_size=16, n_epochs=1, seed=0)
    model.learn(32)
    assert env.reset()["exits"].tolist() == [[0.0] * 4] * 4
