"""Who is credited with what, on the kept table."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.benchmark.search.credit import Credit
from scripts.benchmark.search.methods import METHODS
from scripts.benchmark.search.plans import QUICK, WHOLE
from scripts.benchmark.search.trials import Trial, searched
from scripts.benchmark.search.worlds import world

PLACE = world("a")
FAST = ("uniform", "natural", "local", "evolution", "nsga2", "nsga3", "moead")


def test_the_whole_table_is_the_whole_truth():
    front = PLACE.truth.values[list(PLACE.truth.front)]
    assert PLACE.shares(front) == {"nadir": pytest.approx(1), "zero": pytest.approx(1)}


def test_the_four_sources_have_most_of_the_volume_from_zero_and_little_from_the_nadir():
    recipes = PLACE.space.pool.identities()
    credit = Credit(PLACE)
    credit.take(recipes, PLACE.evaluator(recipes))
    assert credit.shares["zero"] > 0.95
    assert credit.shares["nadir"] < 0.65


def test_repeats_cost_nothing_and_gain_nothing():
    recipes = PLACE.space.pool.identities()
    credit = Credit(PLACE)
    for _ in range(2):
        credit.take(recipes, PLACE.evaluator(recipes))
    assert len(credit) == 4
    assert credit.asked == 8
    assert [step[0] for step in credit.steps] == [1, 2, 3, 4]


@pytest.mark.parametrize("key", FAST)
def test_a_trial_is_the_same_every_time_and_its_shares_only_grow(key):
    once, again = (Trial(key, METHODS[key], "a", 3, 60).result() for _ in range(2))
    assert once["steps"] == again["steps"]
    assert once["evaluations"] >= 60
    shares = np.array([step[1:] for step in once["steps"]])
    assert (np.diff(shares, axis=0) >= 0).all()
    assert (shares <= 1).all()


@pytest.mark.parametrize("key", ["ppo", "paper_hm3", "rl_merging", "cmaes"])
def test_every_method_begins_with_the_sources(key):
    credit = searched(PLACE, METHODS[key].searcher(PLACE, 0), 12, 8)
    own = [recipe.digest for recipe in PLACE.space.pool.identities()]
    assert list(credit.values)[:4] == own
    assert len(credit) >= 12


def test_all_methods_have_ten_seeds_and_quick_forms_fewer_stacks():
    assert len(WHOLE.trials(METHODS, "b", 0)) == 10 * len(METHODS)
    assert {trial.table for trial in WHOLE.trials(METHODS, "b", 0)} == {"b"}
    quick = QUICK.trials({key: METHODS[key] for key in QUICK.methods}, "a", 0)
    assert max(trial.budget for trial in quick) == 48


RESULTS = Path(__file__).resolve().parents[3] / "scripts" / "benchmark" / "results"


def test_the_contest_has_every_rival_with_the_settings_that_did_best():
    best = json.loads((RESULTS / "tuning_a.json").read_text())["summary"]["best"]
    for key, settings in best.items():
        stated = METHODS[key].make.keywords if hasattr(METHODS[key].make, "keywords") else {}
        assert {name: value for name, value in stated.items() if name != "evaluations"} == {
            name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
        }, key
