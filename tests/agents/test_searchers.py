import numpy as np
import pytest
import torch

from agents import PPO, LocalSearch, RandomSearch, RecurrentPath, Spread, SurrogatePPO
from envs import Dirichlet, TableEvaluator, table_space
from hm3.objectives import Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(4)
TABLE = TableEvaluator(SPACE.pool)
GIVEN = (TABLE.normaliser(), Tchebycheff(), Dirichlet(3))
SEARCHERS = {
    "ppo": lambda space, seed: PPO(space, *GIVEN, seed=seed, rollouts=4),
    "ppo, gru, spread": lambda space, seed: PPO(space, *GIVEN, seed=seed, encoder=RecurrentPath, credit=Spread()),
    "surrogate": lambda space, seed: SurrogatePPO(space, *GIVEN, seed=seed, initial=8, candidates=60, episodes=16),
    "random": lambda space, seed: RandomSearch(space, seed=seed),
    "local": lambda space, seed: LocalSearch(space, *GIVEN, seed=seed),
}
SPACES = {
    "searched": SPACE,
    "follow": table_space(4, host="follow"),
    "named": table_space(4, host="math"),
    "free": table_space(4, reach=None),
}


@pytest.fixture(params=SEARCHERS.values(), ids=SEARCHERS.keys())
def make(request):
    return request.param


def rounds(searcher, number, count=12):
    """Everything that is asked for in some rounds."""
    asked = []
    for _ in range(number):
        recipes = searcher.ask(count)
        searcher.tell(recipes, TABLE(recipes))
        asked += recipes
    return asked


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_all_proposals_are_legal(make, space):
    asked = rounds(make(space, 0), 3)
    assert len(asked) == 36
    for recipe in asked:
        layers, host = space.encode(recipe)
        assert space.allows(layers)
        assert space.recipe(layers, host) == recipe
        if space.rules.host == "math":
            assert recipe.embedding_host == recipe.head_host == "math"


def test_a_seed_tells_the_same_story(make):
    assert rounds(make(SPACE, 5), 3) == rounds(make(SPACE, 5), 3)
    assert rounds(make(SPACE, 5), 3) != rounds(make(SPACE, 6), 3)


def test_global_generators_do_not_matter(make):
    first, second = make(SPACE, 5), make(SPACE, 5)
    expected = rounds(first, 3)
    for number in range(3):
        torch.manual_seed(number)
        np.random.seed(number)  # noqa: NPY002
        assert rounds(second, 1) == expected[12 * number : 12 * (number + 1)]


def test_going_on_from_a_save_equals_the_uninterrupted_run(make, tmp_path):
    whole = make(SPACE, 5)
    rounds(whole, 2)
    whole.save(tmp_path)
    expected = rounds(whole, 2)
    resumed = make(SPACE, 6)
    resumed.restore(tmp_path)
    assert rounds(resumed, 2) == expected
    if isinstance(whole, PPO):
        assert_equal_weights(whole, resumed)


def assert_equal_weights(one, other):
    for name, values in one.policy.state_dict().items():
        assert torch.equal(values, other.policy.state_dict()[name]), name
    states = zip(one.policy.optimizer.state.values(), other.policy.optimizer.state.values(), strict=True)
    for left, right in states:
        assert all(torch.equal(left[key], right[key]) for key in left)
    assert one.progress == other.progress


def test_saving_brings_global_generators_back(tmp_path):
    agent = SEARCHERS["ppo"](SPACE, 0)
    agent.save(tmp_path)
    expected = torch.rand(3).tolist(), np.random.random(3).tolist()  # noqa: NPY002
    agent.restore(tmp_path)
    assert (torch.rand(3).tolist(), np.random.random(3).tolist()) == expected  # noqa: NPY002
