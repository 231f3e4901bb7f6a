"""The agent as a whole: it asks for nothing twice, and needs a fraction of what others need."""

import itertools

import numpy as np
import pytest
import torch

from agents import LocalSearch, SurrogatePPO
from agents.surrogate.gains import non_dominated
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool
from hm3.archive import below_nadir, hypervolume
from hm3.errors import ConfigurationError
from hm3.objectives import Scores, Tchebycheff

torch.set_num_threads(1)
POOL = table_pool(6)
SPACE = StackSpace(POOL, PathRules(min_depth=6, max_depth=6, max_repeats=1, reach=0, host="follow"))
TABLE = TableEvaluator(POOL)
_EVERY = [
    SPACE.recipe([number * 6 + layer for layer, number in enumerate(path)], 0)
    for path in itertools.product(range(4), repeat=6)
]
TRUE_FRONT = non_dominated(TABLE.normaliser()([scores.values for scores in TABLE(_EVERY)]))
GIVEN = (TABLE.normaliser(), Tchebycheff(), Dirichlet(3))


def reached(searcher, count, batch=8):
    """The share of the true volume that some different stacks have, the sources among them; and the stacks."""
    asked = POOL.identities()
    searcher.tell(asked, TABLE(asked))
    while len({recipe.digest for recipe in asked}) < count:
        recipes = searcher.ask(batch)
        searcher.tell(recipes, TABLE(recipes))
        asked += recipes
    once = list({recipe.digest: recipe for recipe in asked}.values())[:count]
    values = TABLE.normaliser()([scores.values for scores in TABLE(once)])
    reference = below_nadir(TRUE_FRONT)
    return hypervolume(values, reference) / hypervolume(TRUE_FRONT, reference), asked


@pytest.fixture(scope="module")
def searched():
    agent = SurrogatePPO(SPACE, *GIVEN, seed=0, candidates=200, episodes=16)
    return agent, *reached(agent, 60)


def test_nothing_is_asked_for_twice(searched):
    _, _, asked = searched
    assert len({recipe.digest for recipe in asked}) == len(asked)


def test_with_sixty_stacks_it_knows_more_of_the_front_than_local_search_does(searched):
    _, share, _ = searched
    rival = np.mean([reached(LocalSearch(SPACE, *GIVEN, seed=seed), 60)[0] for seed in range(3)])
    assert share > 0.95 > rival + 0.05


def test_what_it_proposes_for_a_preference_is_near_the_best_there_is(searched):
    agent, _, _ = searched
    preferences = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])
    proposed = agent.propose(preferences, 8, rng=np.random.default_rng(0))
    assert len(proposed) == len({recipe.digest for recipe in proposed}) > 8
    assert not any(recipe in agent.known for recipe in proposed)
    normaliser, utility, _ = GIVEN
    worth = utility(normaliser([scores.values for scores in TABLE(proposed)])[None], preferences[:, None]).max(axis=1)
    known = utility(agent.known.values[None], preferences[:, None]).max(axis=1)
    assert (worth > known - 0.05).all()


def test_what_it_practises_on_is_not_remembered_as_judged(searched):
    agent, _, asked = searched
    assert len(agent.known) == len(asked)
    assert len(agent.policy._memory.stacks) <= len(asked)
    assert {tuple(row) for row in agent.policy._memory.values} <= {scores.values for scores in TABLE(asked)}


def test_what_it_saves_goes_on_as_if_nothing_had_happened(tmp_path):
    first, second = (SurrogatePPO(SPACE, *GIVEN, seed=3, candidates=60, episodes=8) for _ in range(2))
    reached(first, 36)
    first.save(tmp_path)
    second.restore(tmp_path)
    for _ in range(2):
        asked = first.ask(8)
        assert [recipe.digest for recipe in asked] == [recipe.digest for recipe in second.ask(8)]
        for agent in (first, second):
            agent.tell(asked, TABLE(asked))


def test_a_model_without_scores_teaches_nothing():
    agent = SurrogatePPO(SPACE, *GIVEN, seed=0)
    agent.tell(POOL.identities()[:1], [Scores(TABLE.names, (0.0, 0.0, 0.0), valid=False)])
    assert len(agent.known) == 0


def test_a_space_that_is_used_up_gives_fewer():
    pool = table_pool(2)
    space = StackSpace(pool, PathRules(min_depth=2, max_depth=2, max_repeats=1, reach=0, host="follow"))
    table = TableEvaluator(pool)
    agent = SurrogatePPO(space, table.normaliser(), *GIVEN[1:], initial=4, candidates=40, episodes=4)
    asked = []
    for _ in range(8):
        recipes = agent.ask(6)
        agent.tell(recipes, table(recipes))
        asked += recipes
    assert len(asked) == len({recipe.digest for recipe in asked}) == 16


def test_a_mistyped_setting_is_said_in_one_line():
    with pytest.raises(ConfigurationError, match="agent: settings that SurrogatePPO and PPO take, got widht"):
        SurrogatePPO(SPACE, *GIVEN, widht=64)
