import numpy as np
import pytest
import torch

from agents import PPO
from agents.published.rewritten import rewritten, stacked
from agents.rollout import play
from envs import Dirichlet, TableEvaluator, table_space
from hm3.objectives import Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(4)
AGENT = PPO(SPACE, TableEvaluator(SPACE.pool).normaliser(), Tchebycheff(), Dirichlet(3))


def rollout(seed):
    preferences = Dirichlet(3)(6, np.random.default_rng(seed))
    return play(AGENT.policy, SPACE, preferences, np.random.default_rng(seed))


def test_what_the_policy_wrote_is_rewritten_as_it_was():
    first = rollout(0)
    again = rewritten(AGENT.policy, SPACE, first.preferences, [SPACE.encode(recipe) for recipe in first.recipes])
    assert again.recipes == first.recipes
    assert (again.episodes == first.episodes).all()
    assert (again.steps == first.steps).all()
    assert again.log_probs == pytest.approx(first.log_probs, abs=1e-5)
    assert again.values == pytest.approx(first.values, abs=1e-5)


def test_two_rollouts_are_judged_together_as_alone():
    first, second = rollout(0), rollout(1)
    both = stacked(first, second)
    assert both.recipes == first.recipes + second.recipes
    assert both.lengths.tolist() == [*first.lengths, *second.lengths]
    values, log_probs, _ = AGENT.policy.judge(both.batch)
    assert log_probs.detach().numpy() == pytest.approx(np.append(first.log_probs, second.log_probs), abs=1e-5)
    assert values.detach().numpy() == pytest.approx(np.append(first.values, second.values), abs=1e-5)
