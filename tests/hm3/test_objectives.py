"""Preferences, normalisation and utilities, on numbers that can be checked by eye."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hm3.errors import ConfigurationError
from hm3.objectives import Linear, Normaliser, Preference, Scores, Tchebycheff

NAMES = ("math", "code", "chat")


def test_a_stated_preference_replaces_the_weights_and_leaves_the_rest_at_zero():
    assert Preference.of({"math": 6, "code": 2}, NAMES).as_dict() == {"math": 0.75, "code": 0.25, "chat": 0.0}


def test_no_preference_is_equal_weights():
    assert Preference.of(None, NAMES).weights == (1 / 3, 1 / 3, 1 / 3)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"maths": 1}, r"preference\.weights: objectives are math, code, chat, got 'maths'"),
        ({"math": -1, "code": 2}, r"preference\.weights\.math: a finite number of at least 0, got -1"),
        ({"math": math.inf}, "a finite number"),
        ({"math": math.nan}, "a finite number"),
        ({"math": True}, "a finite number"),
        ({"math": "much"}, "a finite number"),
        ({"math": 0, "code": 0.0}, "at least one above 0"),
        ({}, "at least one above 0"),
    ],
)
def test_a_preference_that_means_nothing_is_refused(weights, message):
    with pytest.raises(ConfigurationError, match=message):
        Preference.of(weights, NAMES)


@given(st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6), min_size=1))
def test_weights_lie_on_the_simplex(weights):
    assume(sum(weights.values()) > 1e-9)
    stated = Preference.of(weights, NAMES)
    assert sum(stated.weights) == pytest.approx(1)
    assert min(stated.weights) >= 0


def scores(*values, valid=True):
    return Scores(NAMES[: len(values)], values, valid)


def test_zero_is_the_floor_and_one_the_best_source():
    normaliser = Normaliser.fit(("math", "code"), (0.25, 0.0), [scores(0.5, 0.1), scores(0.75, 0.4)])
    assert normaliser([0.25, 0.0]).tolist() == [0.0, 0.0]
    assert normaliser([0.75, 0.4]).tolist() == [1.0, 1.0]
    assert normaliser([[1.0, 0.8], [0.0, -0.4]]).tolist() == [[1.5, 2.0], [-0.5, -1.0]]  # nothing is clipped


def test_a_bad_source_changes_nothing():
    sources = [scores(0.5, 0.1), scores(0.75, 0.4)]
    one = Normaliser.fit(("math", "code"), (0.0, 0.0), sources)
    assert Normaliser.fit(("math", "code"), (0.0, 0.0), [*sources, scores(0.0, 0.01)]) == one


def test_an_objective_at_which_every_source_fails_is_named():
    with pytest.raises(ConfigurationError, match=r"objective code: some source must be above its floor 0\.25"):
        Normaliser.fit(("math", "code"), (0.0, 0.25), [scores(0.5, 0.25), scores(0.5, 0.1)])


def test_tchebycheff_by_hand():
    # distances to 1.5: 0.5 and 1.0; weighted: 0.375 and 0.25; u = -(0.375 + 0.05 * 0.625)
    utility = Tchebycheff()(np.array([1.0, 0.5]), np.array([0.75, 0.25]))
    assert utility == pytest.approx(-(0.375 + 0.05 * 0.625))


def test_linear_by_hand():
    assert Linear()(np.array([1.0, 0.5]), np.array([0.75, 0.25])) == pytest.approx(0.875)


def test_utilities_take_many_scores_under_many_preferences():
    values, weights = np.random.default_rng(0).random((5, 3)), np.full((2, 3), 1 / 3)
    for utility in (Tchebycheff(), Linear()):
        table = utility(values[None], weights[:, None])
        assert table.shape == (2, 5)
        assert table[1, 3] == pytest.approx(utility(values[3], weights[1]))


def prefers_the_heavy_objective(reference, high, low):
    """Whether a model that is better where the weight is beats one that is as much better where it isn't."""
    utility, weights = Tchebycheff(reference), np.array([0.9, 0.1])
    return utility(np.array([high, low]), weights) > utility(np.array([low, high]), weights)


def test_the_order_holds_up_to_the_reference_and_inverts_above_it():
    steps = np.arange(0, 1.401, 0.1)
    for low, high in itertools.combinations(steps, 2):
        assert prefers_the_heavy_objective(1.5, high, low), (low, high)
    assert not prefers_the_heavy_objective(1.0, 1.4, 1.1)  # both beat every source: a reference of 1 turns the order


better = st.tuples(*[st.floats(0, 1.4)] * 3)


@given(better, st.tuples(*[st.floats(0.001, 0.4)] * 3), st.tuples(*[st.floats(0.01, 1)] * 3))
def test_what_is_better_everywhere_has_the_larger_utility(values, gain, weights):
    worse, best, weights = np.array(values), np.array(values) + gain, np.array(weights) / sum(weights)
    for utility in (Tchebycheff(2.0), Linear()):
        assert utility(best, weights) > utility(worse, weights)


def test_tchebycheff_finds_a_compromise_that_no_linear_utility_finds():
    """The middle point lies in the hollow of the front."""
    front, even = np.array([[1.0, 0.0], [0.45, 0.45], [0.0, 1.0]]), np.array([0.5, 0.5])
    assert int(np.argmax(Tchebycheff()(front, even))) == 1
    assert all(int(np.argmax(Linear()(front, np.array([w, 1 - w])))) != 1 for w in np.linspace(0, 1, 101))
