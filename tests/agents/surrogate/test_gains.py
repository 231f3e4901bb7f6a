import numpy as np
import pytest

from agents.surrogate.gains import favourites, thompson, volume

FRONT = np.array([[1.0, 0.2], [0.2, 1.0]])


def test_volume_counts_what_is_above_zero():
    assert volume(FRONT) == pytest.approx(0.2 + 0.16)
    assert volume(np.array([[-1.0, 5.0]])) == 0.0


def test_each_world_asks_for_what_fills_the_front_most():
    world = np.array([[0.3, 0.3], [0.8, 0.8], [1.1, 0.1], [0.9, 0.1]])
    assert thompson(np.stack([world]), FRONT) == [1]


def test_nothing_is_asked_for_twice():
    world = np.array([[0.8, 0.8], [0.7, 0.7], [0.1, 0.1]])
    assert thompson(np.stack([world, world]), FRONT) == [0, 1]


def test_where_nothing_would_be_gained_the_largest_sum_is_asked_for():
    world = np.array([[0.1, 0.1], [0.15, 0.15], [0.9, -1.0]])
    assert thompson(np.stack([world]), FRONT) == [1]


def test_more_worlds_than_candidates_ask_for_all():
    assert sorted(thompson(np.full((5, 2, 2), 0.5), FRONT)) == [0, 1]


def test_favourites_are_each_worlds_own_but_never_the_same_twice():
    assert favourites(np.array([[0.1, 0.9, 0.5], [0.2, 0.8, 0.3], [0.0, 0.7, 0.6]])) == [1, 2, 0]
    assert favourites(np.array([[0.5], [0.6]])) == [0]
