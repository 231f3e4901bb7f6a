import numpy as np
import pytest

from agents import LocalSearch
from agents.local_search import non_dominated
from agents.moves import (
    MOVES,
    change_host,
    change_source,
    cross,
    delete_layer,
    insert_layer,
    mutate,
    replace_layer,
    swap_source,
)
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


def test_a_source_changes_in_one_place_at_most():
    changed = change_source(SPACE, STACK, np.random.default_rng(1))[0]
    assert [layer % 6 for layer in changed] == STACK[0]
    assert sum(old != new for old, new in zip(STACK[0], changed, strict=True)) <= 1


def test_a_cross_begins_as_one_and_ends_as_the_other():
    other = ([6 + layer for layer in range(6)], 2)
    for seed in range(20):
        layers, host = cross(SPACE, STACK, other, np.random.default_rng(seed))
        cut = sum(layer < 6 for layer in layers)
        assert 1 <= cut <= 5
        assert layers == STACK[0][:cut] + other[0][cut:]
        assert host in (1, 2)


def test_equal_stacks_have_nothing_to_cross():
    assert cross(SPACE, STACK, STACK, np.random.default_rng(0)) is None


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
