import logging

import numpy as np
import pytest
from pymoo.indicators.hv import HV

from agents.merge_settings import Told
from agents.merge_settings.design import design
from agents.merge_settings.gains import most_hypervolume
from agents.merge_settings.map import MAP
from agents.merge_settings.surrogate_front import reference_directions, surrogate_front
from hm3.archive import hypervolume
from hm3.errors import ConfigurationError

BESTS = np.array([[0.2, 0.3], [0.8, 0.6]])  # where each objective is largest
LENGTH = float(np.linalg.norm(BESTS[1] - BESTS[0]))
# With squared distances as costs the front is (t² L², (1 - t)² L²), which leaves 5/6 of the square to (L², L²).
WHOLE = 5 / 6 * LENGTH**4


def nearness(points):
    """Minus the squared distances to `BESTS`: the front is the line between them."""
    return -((points[:, None] - BESTS) ** 2).sum(axis=-1)


def nothing(dimensions=2, objectives=2):
    return Told(np.empty((0, dimensions)), np.empty((0, objectives)))


def searched(proposer, budget, batch=5, values=nearness, told=None):
    told = told or nothing()
    while len(told.points) < budget:
        points = proposer.propose(told, min(batch, budget - len(told.points)))
        told = Told(np.vstack([told.points, points]), np.vstack([told.values, values(points)]))
    return told


@pytest.mark.parametrize("seed", [0, 1])
def test_on_quadratics_the_points_after_the_design_lie_on_the_front(seed):
    told = searched(MAP(dimensions=2, seed=seed), 27)
    along, across = on_the_line(told.points[12:])
    assert np.abs(across).max() < 0.03
    assert along.min() > -0.03
    assert along.max() < 1.03
    assert np.diff(np.sort(along)).max() < 0.25  # spread over all of it
    volumes = [hypervolume(told.values[:count] + LENGTH**2) / WHOLE for count in (12, 17, 27)]
    assert volumes[0] < 0.9
    assert volumes[1] > 0.92
    assert volumes[2] > 0.96
    assert volumes[2] * WHOLE == pytest.approx(HV(ref_point=[LENGTH**2] * 2)(-told.values))


def on_the_line(points):
    direction = (BESTS[1] - BESTS[0]) / LENGTH
    offset = points - BESTS[0]
    return offset @ direction / LENGTH, offset @ [-direction[1], direction[0]]


def test_three_objectives_have_a_front_between_three_points():
    bests = np.array([[0.2, 0.2, 0.5], [0.8, 0.2, 0.5], [0.5, 0.8, 0.5]])
    told = searched(
        MAP(dimensions=3),
        30,
        values=lambda points: -((points[:, None] - bests) ** 2).sum(axis=-1),
        told=nothing(3, 3),
    )
    shares = np.linalg.lstsq(np.vstack([bests.T[:2], np.ones(3)]), np.vstack([told.points[20:].T[:2], np.ones(10)]))[0]
    assert shares.min() > -0.1
    assert np.abs(told.points[20:, 2] - 0.5).max() < 0.1


@pytest.mark.parametrize(("dimensions", "points"), [(1, 6), (2, 12), (3, 20), (4, 30), (6, 56)])
def test_the_design_has_twice_as_many_points_as_a_quadratic_has_coefficients(dimensions, points):
    assert MAP(dimensions=dimensions).initial == points
    found = design(dimensions, points, np.random.default_rng(0))
    assert found.shape == (points, dimensions)
    assert len(np.unique(found, axis=0)) == points
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_design_begins_with_each_expert_alone_and_equal_parts():
    assert design(3, 6, np.random.default_rng(0)).tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0.5] * 3,
        [1] * 3,
        [0] * 3,
    ]


def test_a_stated_design_is_as_long_as_it_says():
    proposer = MAP(dimensions=3, initial=7)
    first = proposer.propose(nothing(3), 5)
    rest = proposer.propose(Told(first, np.zeros((5, 2))), 5)
    assert np.vstack([first, rest]).tolist() == design(3, 7, np.random.default_rng(0)).tolist()


def test_points_of_somebody_else_count_towards_the_design():
    told = Told(np.full((3, 3), 0.9) - [[0.0], [0.1], [0.2]], np.zeros((3, 2)))
    assert MAP(dimensions=3, initial=7).propose(told, 50).tolist() == design(3, 4, np.random.default_rng(0)).tolist()


def test_an_objective_that_does_not_change_is_said_once_and_left_out(caplog):
    def with_a_constant(points):
        return np.column_stack([nearness(points), 0.25 + 1e-17 * points[:, 0]])

    proposer = MAP(dimensions=2, names=["math", "code", "chat"])
    told = searched(proposer, 22, values=with_a_constant, told=nothing(2, 3))
    alone = searched(MAP(dimensions=2), 22)
    assert told.points.tolist() == alone.points.tolist()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "12 merges all have the same chat (0.25): it does not steer the search"
    ]


def test_nan_is_left_out_and_never_asked_again(caplog):
    def one_corner_fails(points):
        return np.where((points == [1, 0]).all(axis=1, keepdims=True), np.nan, nearness(points))

    told = searched(MAP(dimensions=2), 17, values=one_corner_fails)
    assert np.isnan(told.values).any(axis=1).sum() == 1
    assert np.abs(on_the_line(told.points[12:])[1]).max() < 0.03
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("value", [0.5, np.nan])
def test_where_nothing_is_learnt_it_goes_on_at_random(value):
    told = searched(MAP(dimensions=2), 20, values=lambda points: np.full((len(points), 2), value))
    assert len(np.unique(told.points, axis=0)) == 20


def test_one_objective_has_a_front_of_one_point():
    told = searched(MAP(dimensions=2), 13, values=lambda points: nearness(points)[:, :1], told=nothing(2, 1))
    assert told.points[12] == pytest.approx(BESTS[0], abs=0.01)


def test_it_gains_where_no_quadratic_fits():
    """No quadratic is like this one; every batch is fitted to what the one before it gave."""
    told = searched(MAP(dimensions=2), 22, values=lambda points: np.tanh(8 * nearness(points)))
    np.testing.assert_array_equal(told.values, np.tanh(8 * nearness(told.points)))
    assert hypervolume(told.values + 1) > 1.1 * hypervolume(told.values[:12] + 1)


def test_chosen_points_are_the_largest_gains_by_eye():
    values = np.array([[1.0, 0.0], [0.6, 0.6], [0.0, 1.0], [0.5, 0.5], [0.61, 0.58]])
    assert most_hypervolume(values, np.empty((0, 2)), 3) == [1, 0, 2]
    assert most_hypervolume(values, values[[1]], 2) == [0, 2]
    # Nothing adds to this front; the farthest from what is known and chosen comes next.
    assert most_hypervolume(values[[4, 3]], values[[1]] + 1, 2) == [1, 0]


@pytest.mark.parametrize(("objectives", "population", "number"), [(1, 10, 1), (2, 100, 100), (3, 100, 91), (4, 4, 4)])
def test_reference_directions_are_as_many_as_the_population_can_follow(objectives, population, number):
    assert reference_directions(objectives, population).shape == (number, objectives)


def test_the_front_of_known_functions_is_found():
    start = np.random.default_rng(0).random((60, 2))
    found = surrogate_front(nearness, start, 2, generations=100, seed=0)
    along, across = on_the_line(found)
    assert np.abs(across).max() < 0.05
    assert np.median(np.abs(across)) < 0.02
    assert np.diff(np.sort(along)).max() < 0.2


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [
        ("initial", 1, "an integer of at least 2, got 1"),
        ("population", 2.5, "an integer of at least 4, got 2.5"),
        ("generations", 0, "an integer of at least 1, got 0"),
    ],
)
def test_a_wrong_setting_is_one_line(setting, value, rule):
    with pytest.raises(ConfigurationError, match=rf"^parameter\.proposer\.{setting}: {rule}$"):
        MAP(dimensions=2, **{setting: value})
