import numpy as np
import pytest

from agents.surrogate.gains import favourites, gains, most_promising, non_dominated

FRONT = np.array([[1.0, 0.2], [0.2, 1.0]])
ZERO = np.zeros(2)


def test_gains_are_areas_that_a_person_can_count():
    # The front covers 0.2 + 0.16; (0.5, 0.5) adds a square of 0.3
    values = np.array([[0.5, 0.5], [1.0, 0.2], [0.1, 0.9], [1.2, 0.1], [0.0, 9.0]])
    assert gains(values, FRONT, ZERO) == pytest.approx([0.09, 0.0, 0.0, 0.02, 0.0])


def test_the_largest_gain_comes_first_and_what_it_leaves_nothing_to_comes_last():
    # after (0.8, 0.8) there is nothing left for (0.7, 0.7), but something for (1.1, 0.3)
    values = np.array([[0.7, 0.7], [0.8, 0.8], [1.1, 0.3]])
    assert most_promising(values, FRONT, 3) == [1, 2, 0]


def test_a_narrow_gain_at_an_end_is_seen_from_below_the_nadir():
    values = np.array([[1.0, 0.15], [1.05, 0.19]])
    assert most_promising(values, FRONT, 1) == [1]


def test_nothing_is_chosen_twice_and_no_more_than_there_is():
    assert sorted(most_promising(np.full((3, 2), 0.1), FRONT, 8)) == [0, 1, 2]


def test_where_nothing_would_be_gained_the_first_comes_first():
    assert most_promising(np.array([[0.1, 0.1], [0.15, 0.15]]), FRONT, 1) == [0]


def test_a_front_of_one_is_enough():
    assert most_promising(np.array([[0.5, 0.5], [1.5, 1.5]]), np.ones((1, 2)), 1) == [1]


def test_of_equal_values_none_dominates_the_other():
    assert non_dominated(np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.4]])).tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_favourites_are_each_preferences_own_but_never_the_same_twice():
    assert favourites(np.array([[0.1, 0.9, 0.5], [0.2, 0.8, 0.3], [0.0, 0.7, 0.6]])) == [1, 2, 0]
    assert favourites(np.array([[0.5], [0.6]])) == [0]
