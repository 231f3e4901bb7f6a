"""What every learning rival must keep."""

import numpy as np
import pytest
import torch

from agents.published import ModelMergingRL, PaperHM3
from envs import Dirichlet, TableEvaluator, table_space
from hm3.errors import ConfigurationError
from hm3.objectives import Linear, Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(4)
TABLE = TableEvaluator(SPACE.pool)
GIVEN = {"normaliser": TABLE.normaliser(), "utility": Tchebycheff(), "sampler": Dirichlet(3)}
SMALL = {"evaluations": 24, "divisions": 1, "epochs": 3}  # three preferences, eight stacks for each
SPACES = {
    "searched": SPACE,
    "follow": table_space(4, host="follow"),
    "named": table_space(4, host="math"),
    "free": table_space(4, reach=None),
}


@pytest.fixture(params=[PaperHM3, ModelMergingRL])
def rival(request):
    return request.param


def make(rival, seed=0, space=SPACE, **settings):
    return rival(space=space, seed=seed, **{**GIVEN, **SMALL, **settings})


def rounds(searcher, number, count=6):
    """Everything that is asked for in some rounds."""
    asked = []
    for _ in range(number):
        recipes = searcher.ask(count)
        searcher.tell(recipes, TABLE(recipes))
        asked += recipes
    return asked


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_all_proposals_are_legal(rival, space):
    asked = rounds(make(rival, space=space), 5)
    assert len(asked) == 30
    for recipe in asked:
        layers, host = space.encode(recipe)
        assert space.allows(layers)
        assert space.recipe(layers, host) == recipe


def test_a_seed_tells_the_same_story(rival):
    assert rounds(make(rival, 5), 4) == rounds(make(rival, 5), 4)
    assert rounds(make(rival, 5), 4) != rounds(make(rival, 6), 4)


def test_global_generators_neither_matter_nor_change(rival):
    expected = rounds(make(rival, 5), 5)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.rand(2).tolist(), np.random.random(2).tolist()  # noqa: NPY002
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert rounds(make(rival, 5), 5) == expected
    assert (torch.rand(2).tolist(), np.random.random(2).tolist()) == before  # noqa: NPY002


def test_going_on_from_a_save_equals_the_uninterrupted_run(rival, tmp_path):
    whole = make(rival, 5)
    rounds(whole, 3)
    whole.save(tmp_path)
    expected = rounds(whole, 4)
    resumed = make(rival, 6)
    resumed.restore(tmp_path)
    assert rounds(resumed, 4) == expected


@pytest.mark.parametrize(("rival", "reward"), [(PaperHM3, Linear()), (ModelMergingRL, Tchebycheff())])
def test_the_last_quarter_is_better_than_the_first(rival, reward):
    space, weights = table_space(8), np.full(3, 1 / 3)
    table = TableEvaluator(space.pool)
    normaliser = table.normaliser()
    given = {"normaliser": normaliser, "utility": Tchebycheff(), "sampler": Dirichlet(3)}
    searcher = rival(space, **given, evaluations=640, divisions=0, learning_rate=(2e-3, 2e-3), epochs=6)
    worth = []
    for _ in range(32):
        recipes = searcher.ask(20)
        scores = table(recipes)
        searcher.tell(recipes, scores)
        worth += reward(normaliser([score.values for score in scores]), weights).tolist()
    quarters = np.reshape(worth, (4, -1)).mean(axis=1)
    assert quarters[-1] > quarters[0] + 0.03


def test_a_budget_that_leaves_a_preference_out_is_refused(rival):
    with pytest.raises(ConfigurationError, match="at least one for each of 15 preferences, got 14"):
        make(rival, evaluations=14, divisions=4)


def test_another_batch_than_the_last_is_refused(rival):
    searcher = make(rival)
    searcher.ask(6)
    with pytest.raises(ValueError, match="those of the last ask"):
        searcher.tell(SPACE.pool.identities(), TABLE(SPACE.pool.identities()))
