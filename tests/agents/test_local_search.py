import numpy as np
import pytest

from agents import LocalSearch
from agents.local_search import non_dominated
from agents.moves import MOVES, change_host, delete_layer, insert_layer, mutate, replace_layer, swap_source
from envs import Dirichlet, TableEvaluator, table_space
from hm3.objectives import Candidate, Scores, Tchebycheff

SPACE = table_space(6)
TABLE = TableEvaluator(SPACE.pool)
STACK = (list(range(6)), 1)


def test_moves_change_what_they_say():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        assert len(replace_layer(SPACE, STACK, rng)[0]) == 6
        assert len(insert_layer(SPACE, STACK, rng)[0]) == 7
        assert len(delete_layer(SPACE, STACK, rng)[0]) == 5
        assert [layer % 6 for layer in swap_source(SPACE, STACK, rng)[0]] == STACK[0]
        assert change_host(SPACE, STACK, rng)[0] == STACK[0]


@pytest.mark.parametrize("move", MOVES)
def test_moves_leave_the_original_alone(move):
    move(SPACE, STACK, np.random.default_rng(0))
    assert (list(range(6)), 1) == STACK


def test_mutants_are_legal_and_new():
    for seed in range(50):
        changed = mutate(SPACE, STACK, np.random.default_rng(seed))
        assert changed is not None
        assert changed != STACK
        assert SPACE.allows(changed[0])


def test_the_front_holds_what_nothing_dominates():
    recipe = SPACE.pool.identities()[0]
    values = [(1.0, 2.0), (2.0, 1.0), (0.5, 2.0), (2.0, 1.0), (0.0, 0.0)]
    front = non_dominated([Candidate(recipe, Scores(("a", "b"), value)) for value in values])
    assert [candidate.scores.values for candidate in front] == [(1, 2), (2, 1), (2, 1)]


def test_it_improves_on_what_it_was_told():
    search = LocalSearch(SPACE, TABLE.normaliser(), Tchebycheff(), Dirichlet(3), seed=0)
    search.tell(SPACE.pool.identities(), TABLE(SPACE.pool.identities()))
    for _ in range(15):
        recipes = search.ask(20)
        search.tell(recipes, TABLE(recipes))
    equal = np.full(3, 1 / 3)
    normalised = TABLE.normaliser()([candidate.scores.values for candidate in search.front])
    sources = TABLE.normaliser()([scores.values for scores in TABLE(SPACE.pool.identities())])
    assert Tchebycheff()(normalised, equal).max() > Tchebycheff()(sources, equal).max() + 0.05
