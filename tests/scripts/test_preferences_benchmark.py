"""Regrets under preferences that nobody trained for."""

import itertools

import numpy as np
import pytest

from scripts.benchmark.preferences.figures import outcome
from scripts.benchmark.preferences.trials import UTILITY, Trial, known_utilities, unseen_preferences
from scripts.benchmark.search.credit import Credit
from scripts.benchmark.search.methods import METHODS
from scripts.benchmark.search.worlds import world

PLACE = world("a")


def test_unseen_preferences_are_always_the_same():
    drawn = unseen_preferences(50, 3)
    np.testing.assert_array_equal(drawn, unseen_preferences(50, 3))
    np.testing.assert_allclose(drawn.sum(axis=1), 1)


def test_who_knows_the_whole_front_regrets_nothing():
    unseen = unseen_preferences(5, 3)
    credit = Credit(PLACE)
    credit.values = {str(number): PLACE.truth.values[number] for number in PLACE.truth.front}
    np.testing.assert_allclose(known_utilities(credit, unseen), PLACE.truth.best(unseen, UTILITY))


@pytest.mark.parametrize("key", ["local", "hm3"])
def test_proposals_and_more_of_them_only_lessen_regret(key):
    result = Trial(key, METHODS[key], "a", 0, 20, 3).result()
    regrets = [np.array(each) for each in result["regrets"].values()]
    assert len(regrets) == (3 if key == "hm3" else 1)
    assert all((later <= before).all() for before, later in itertools.pairwise(regrets))
    assert all((each >= 0).all() for each in regrets)
    assert (regrets[0] > 0).any()


def part(key, kinds, regrets):
    return {"key": key, "seed": 0, "budget": 10, "regrets": dict.fromkeys(kinds, regrets)}


def test_the_best_rival_has_the_least_mean_regret():
    parts = [
        part("hm3", ["searched", "proposed", "all"], [0.0, 0.2]),
        part("local", ["searched"], [0.4, 0.2]),
        part("nsga3", ["searched"], [0.1, 0.3]),
    ]
    summary = outcome(parts, METHODS, "a").summary
    assert summary["best_rival"]["method"] == "nsga3"
    assert summary["best_rival"]["mean"][0] == pytest.approx(0.2)
    assert summary["ours"]["proposed"]["worst"][0] == pytest.approx(0.2)
