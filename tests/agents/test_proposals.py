import itertools

import numpy as np
import pytest
import torch

from agents import PPO
from agents.proposals import beam
from envs import Dirichlet, Episodes, PathRules, Pool, StackSpace, TableEvaluator, table_space
from hm3.objectives import Tchebycheff
from hm3.recipe import Source

torch.set_num_threads(1)
SPACE = table_space(4)
TABLE = TableEvaluator(SPACE.pool)
PREFERENCES = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])


@pytest.fixture(scope="module")
def agent():
    one = PPO(SPACE, TABLE.normaliser(), Tchebycheff(), Dirichlet(3), rollouts=4)
    for _ in range(4):
        recipes = one.ask(32)
        one.tell(recipes, TABLE(recipes))
    return one


def test_proposals_are_distinct_and_repeatable(agent):
    proposed = agent.propose(PREFERENCES, 5, rng=np.random.default_rng(0))
    assert 5 <= len(proposed) == len({recipe.digest for recipe in proposed}) <= 10
    assert proposed == agent.propose(PREFERENCES, 5, rng=np.random.default_rng(0))


def test_the_greedy_proposal_comes_first(agent):
    rng = np.random.default_rng(0)
    [greedy] = agent.propose(PREFERENCES[:1], 1, rng=rng)
    assert agent.beam(PREFERENCES[:1], 1) == [greedy]
    assert agent.propose(PREFERENCES[:1], 6, rng=rng)[:3] == agent.beam(PREFERENCES[:1], 3)  # greedy's, or a better one


def test_sampled_proposals_need_no_greedy_one(agent):
    samples = [agent.propose(PREFERENCES[:1], 1, greedy=False, rng=np.random.default_rng(seed)) for seed in range(8)]
    assert len({recipes[0].digest for recipes in samples}) > 1


def test_a_wide_beam_finds_the_most_likely_stacks():
    pool = Pool((Source("a", "1"), Source("b", "2")), (2, 2))
    space = StackSpace(pool, PathRules(1, 2, host="follow"))
    policy = PPO(space, TABLE.normaliser(), Tchebycheff(), Dirichlet(3)).policy
    paths = [[a] for a in range(4)] + [[a, b] for a, b in itertools.permutations(range(4), 2)]
    ranked = sorted(paths, key=lambda path: -log_probability(policy, space, path))
    found = beam(policy, space, PREFERENCES[:1], 20)
    assert [space.encode(recipe)[0] for recipe in found] == ranked


def log_probability(policy, space, path):
    episodes = Episodes(space, 1)
    episodes.reset(PREFERENCES[:1])
    total = 0.0
    for action in [*path, space.stop]:
        log_probs, _ = policy.assess(episodes.observe(), episodes.masks())
        total += log_probs[0, action]
        episodes.step(np.array([action]))
    return total


def test_values_of_partial_paths(agent):
    episodes = Episodes(SPACE, 2)
    episodes.reset(PREFERENCES)
    episodes.step(np.array([SPACE.stop + 1, SPACE.stop + 2]))
    assert agent.values(episodes).shape == (2,)
    assert agent.values(episodes, np.array([1])) == pytest.approx(agent.values(episodes)[1:], abs=1e-6)
