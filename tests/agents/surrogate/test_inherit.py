"""Going on with another source or another objective."""

import numpy as np
import pytest

from agents import SurrogatePPO
from agents.surrogate.features import features
from agents.surrogate.kernel import Kernel
from agents.surrogate.process import StackProcess, fitted
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool
from envs.pool import Pool
from hm3.objectives import Normaliser, Scores, Tchebycheff

POOL = table_pool(6)
RULES = PathRules(min_depth=6, max_depth=6, max_repeats=1, reach=0, host="follow")
SPACE = StackSpace(POOL, RULES)
NARROW = StackSpace(Pool(POOL.sources[:3], POOL.depths[:3]), RULES)
TABLE = TableEvaluator(POOL)
NORMALISER = TABLE.normaliser()
FEWER = Normaliser(NORMALISER.names[:2], NORMALISER.floors[:2], NORMALISER.bests[:2])


def agent(space=SPACE, normaliser=NORMALISER):
    sampler = Dirichlet(len(normaliser.names))
    return SurrogatePPO(space, normaliser, Tchebycheff(), sampler, initial=4, candidates=40, episodes=4)


def judged(recipes, count=3):
    return [Scores(scores.names[:count], scores.values[:count]) for scores in TABLE(recipes)]


@pytest.fixture
def recipes():
    rng = np.random.default_rng(0)
    paths = rng.integers(3, size=(20, 6))
    return [NARROW.recipe([number * 6 + layer for layer, number in enumerate(path)], 0) for path in paths.tolist()]


def test_stacks_of_fewer_sources_are_known_in_the_wider_space(recipes):
    old, new = agent(NARROW), agent()
    old.tell(recipes, judged(recipes))
    new.inherit(old)
    assert len(new.known) == len(old.known)
    assert all(recipe in new.known for recipe in recipes)
    assert {tuple(row) for row in new.known.values.round(9)} == {tuple(row) for row in old.known.values.round(9)}
    assert not any(recipe in recipes for recipe in new.ask(8))


def test_stacks_that_lack_an_objective_tell_of_the_others_and_may_be_judged_again(recipes):
    old, new = agent(normaliser=FEWER), agent()
    old.tell(recipes, judged(recipes, 2))
    new.inherit(old)
    assert len(new.known) == 0
    assert len(new.known.partly) == len(old.known)
    assert np.isnan(new.known.evidence[1][:, 2]).all()
    new.remember(POOL.identities(), judged(POOL.identities()))
    means, _ = new.belief([SPACE.encode(recipe) for recipe in recipes])
    expected = NORMALISER([scores.values for scores in judged(recipes)])
    assert np.abs(means - expected)[:, :2].max() < 0.05
    assert np.abs(means - expected)[:, 2].max() > 0.05
    new.tell(recipes[:1], judged(recipes[:1]))
    assert recipes[0] in new.known
    assert len(new.known.partly) == len(old.known) - 1


def test_what_is_known_in_part_comes_back_from_a_file(recipes, tmp_path):
    old, new, again = agent(normaliser=FEWER), agent(), agent()
    old.tell(recipes, judged(recipes, 2))
    new.inherit(old)
    new.save(tmp_path)
    again.restore(tmp_path)
    np.testing.assert_array_equal(again.known.evidence[1], new.known.evidence[1])
    assert again.known.partly == new.known.partly


def test_a_missing_value_is_as_if_the_stack_had_not_been_judged(recipes):
    stacks = [SPACE.encode(recipe) for recipe in recipes]
    values = NORMALISER([scores.values for scores in judged(recipes)])
    holes = values.copy()
    holes[10:, 1] = np.nan
    known, some = features(SPACE, stacks), features(SPACE, stacks[:10])
    kernel = fitted(Kernel.start(3, *known.uses.shape[1:]), some, values[:10], 40)
    asked = features(SPACE, [SPACE.encode(recipe) for recipe in POOL.identities()])
    whole, part = (StackProcess.of(kernel, f, v).predict(asked) for f, v in ((some, values[:10]), (known, holes)))
    np.testing.assert_allclose(part[0][:, 1], whole[0][:, 1], atol=1e-4)
    np.testing.assert_allclose(part[1][:, 1], whole[1][:, 1], atol=1e-4)
