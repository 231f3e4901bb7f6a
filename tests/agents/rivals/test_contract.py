import random

import numpy as np
import pytest
import torch

from agents import RandomSearch
from agents.rivals import CMAES, MOEAD, NSGA2, NSGA3, CategoricalBO, RegularisedEvolution
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool, table_space
from hm3.errors import ConfigurationError
from hm3.judged import Judged
from hm3.objectives import Scores, Tchebycheff

POOL = table_pool(6)
TABLE = TableEvaluator(POOL)
GIVEN = {"normaliser": TABLE.normaliser(), "utility": Tchebycheff(), "sampler": Dirichlet(3)}
ALIGNED = StackSpace(POOL, PathRules(6, 6, 1, 0, "follow"))  # a source for each of six places
LIGHT = {"samples": 4, "candidates": 12, "rounds": 1, "beam": 2, "shortlist": 4, "initial": 10}
RIVALS = {
    "evolution": lambda **given: RegularisedEvolution(**given, population=20, tournament=8),
    "nsga2": lambda **given: NSGA2(**given, population=20),
    "nsga3": lambda **given: NSGA3(**given, divisions=4),
    "moead": lambda **given: MOEAD(**given, divisions=4, neighbours=5),
    "cmaes": lambda **given: CMAES(**given, divisions=2),
    "bo": lambda **given: CategoricalBO(**given, **LIGHT, most=14),
}
SPACES = {
    "aligned": ALIGNED,
    "searched": table_space(6),
    "named": table_space(6, host="math"),
    "free": table_space(6, reach=None, host="follow"),
    "tight": StackSpace(POOL, PathRules(9, 10, 1, 1, "searched")),
}


@pytest.fixture(params=RIVALS.values(), ids=RIVALS.keys())
def make(request):
    return lambda space=ALIGNED, seed=0: request.param(space=space, seed=seed, **GIVEN)


def rounds(rival, number, count=12):
    """Everything that is asked for in some rounds."""
    asked = []
    for _ in range(number):
        recipes = rival.ask(count)
        rival.tell(recipes, TABLE(recipes))
        asked += recipes
    return asked


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_all_proposals_are_legal_and_new(make, space):
    asked = rounds(make(space), 4)
    assert len({recipe.digest for recipe in asked}) == len(asked) == 48
    for recipe in asked:
        layers, host = space.encode(recipe)
        assert space.allows(layers)
        assert space.recipe(layers, host) == recipe


def test_it_begins_with_the_sources(make):
    assert make().ask(6)[:4] == POOL.identities()


def test_what_was_told_is_not_asked(make):
    rival = make()
    rival.tell(POOL.identities(), TABLE(POOL.identities()))
    assert not set(rounds(rival, 3)) & set(POOL.identities())


def test_a_seed_tells_the_same_story_whatever_global_generators_do(make):
    expected, different = rounds(make(seed=5), 2), rounds(make(seed=6), 1)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    assert rounds(make(seed=5), 2) == expected
    assert expected[:12] != different
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1].tolist(), random.getstate()) == states[1:]  # noqa: NPY002


def test_it_finds_more_than_its_first_hundred(make):
    rival, judged = make(), Judged(TABLE.normaliser())
    volumes = []
    for _ in range(3):
        for recipe in rounds(rival, 10, 10):
            judged.add([recipe], TABLE([recipe]))
        volumes.append(judged.hypervolume())
    assert len(judged.candidates) == 300  # everything it asked for is new, and counts
    assert volumes[2] > volumes[0]


def test_going_on_from_a_save_equals_the_uninterrupted_run(make, tmp_path):
    whole, resumed = make(seed=5), make(seed=6)
    rounds(whole, 2)
    whole.save(tmp_path)
    resumed.restore(tmp_path)
    assert rounds(resumed, 2) == rounds(whole, 2)


def test_stacks_without_scores_do_no_harm(make):
    rival = make()
    for _ in range(4):
        recipes = rival.ask(12)
        rival.tell(recipes, [Scores(TABLE.names, (-1e30,) * 3, valid=False) for _ in recipes])
    asked = rounds(rival, 2)
    assert len(set(asked)) == 24


def test_foreign_stacks_are_passed_over(make):
    rival, foreign = make(), RandomSearch(table_space(6)).ask(24)
    strange = [recipe for recipe in foreign if not ALIGNED.allows(ALIGNED.encode(recipe)[0])]
    assert strange
    rival.tell(strange, TABLE(strange))
    assert rounds(rival, 2) == rounds(make(), 2)


def test_a_space_that_has_nothing_new_is_no_end(make):
    space = StackSpace(table_pool(2), PathRules(2, 2, 1, 0, "follow"))  # 16 stacks
    table = TableEvaluator(space.pool)
    rival, asked = make(space), []
    for _ in range(6):
        recipes = rival.ask(6)
        rival.tell(recipes, table(recipes))
        asked += recipes
    assert len(asked) == 36
    assert len(set(asked)) == 16


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (RegularisedEvolution, {"tournament": 0}, "agent.tournament: an integer of at least 1, got 0"),
        (NSGA2, {"crossover": "none"}, "agent.crossover: one of uniform, two_point, got 'none'"),
        (NSGA3, {"mutation": 1.5}, "agent.mutation: a finite number from 0 to 1, got 1.5"),
        (MOEAD, {"neighbours": 1}, "agent.neighbours: an integer of at least 2, got 1"),
        (CMAES, {"distance": 0}, "agent.distance: a finite number above 0, got 0"),
        (CategoricalBO, {"most": 5}, "agent.most: an integer of at least 20, got 5"),
    ],
)
def test_settings_are_checked(kind, settings, message):
    with pytest.raises(ConfigurationError, match="^" + message.replace("'", ".")):
        kind(space=ALIGNED, **GIVEN, **settings)
