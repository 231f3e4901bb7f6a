"""Long searches, failures and small cubes, for those beside Bayesian search."""

import numpy as np
import pytest

from agents.merge_settings import MAP, NSGA2, LinearGrid, Told

MAKE = {
    "MAP": lambda dimensions=3: MAP(dimensions=dimensions, population=20, generations=4),
    "NSGA-II": lambda dimensions=3: NSGA2(dimensions=dimensions),
    "linear grid": lambda dimensions=3: LinearGrid(dimensions=dimensions),
}
each_proposer = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def searched(proposer, budget, batch, dimensions=3):
    told = Told(np.empty((0, dimensions)), np.empty((0, 2)))
    while len(told.points) < budget:
        points = proposer.propose(told, min(batch, budget - len(told.points)))
        values = np.column_stack([-(points**2).sum(axis=1), np.sin(7 * points[:, 0]) - points[:, -1]])
        told = Told(np.vstack([told.points, points]), np.vstack([told.values, values]))
    return told


@each_proposer
@pytest.mark.parametrize("batch", [7, 50])
def test_a_search_of_several_rounds_asks_for_nothing_twice(make, batch):
    points = searched(make(), 43, batch).points
    assert points.shape == (43, 3)
    assert len(np.unique(points, axis=0)) == 43


@each_proposer
def test_scores_that_failed_are_no_obstacle(make):
    told = searched(make(), 24, 24)
    values = told.values.copy()
    values[::3] = np.nan
    assert 1 <= len(make().propose(Told(told.points, values), 5)) <= 5


@pytest.mark.parametrize("name", ["MAP", "NSGA-II"])
def test_one_dimension_is_enough(name):
    assert len(np.unique(searched(MAKE[name](1), 20, 5, 1).points)) == 20
