"""The steps of MM-MO by hand."""

import numpy as np
import pytest
import torch

from agents.merge_settings import Told
from agents.merge_settings.apart import moved_apart
from agents.merge_settings.isolated import isolated
from agents.merge_settings.observed import observed
from agents.merge_settings.reference import reference_point
from agents.merge_settings.screening import most_uncertain
from agents.merge_settings.weak_to_strong import elite, weak_to_strong

NONE = np.empty((0, 2))


def rng():
    return np.random.default_rng(0)


def test_with_every_coordinate_from_the_mutant_a_candidate_is_the_mutant():
    strong = np.array([[0.2, 0.9], [0.6, 0.9], [0.2, 0.5]])
    mutants = weak_to_strong(np.zeros((50, 2)), strong, rng(), factor=0.5, crossover=1.0)
    # a + 0.5 (b - c) for all orders; 0.9 + 0.5 (0.9 - 0.5) = 1.1 is clipped
    by_hand = {(0.4, 1.0), (0.0, 0.7), (0.6, 1.0), (0.6, 0.7), (0.0, 0.5), (0.4, 0.5)}
    assert {tuple(row) for row in mutants.round(12).tolist()} == by_hand


def test_without_crossover_one_coordinate_still_comes_from_the_mutant():
    strong = np.full((3, 4), 0.5)
    crossed = weak_to_strong(np.zeros((20, 4)), strong, rng(), factor=0.5, crossover=0.0)
    assert ((crossed == 0.5).sum(axis=1) == 1).all()
    assert (crossed == 0.5).any(axis=0).all()


def test_crossover_is_the_share_that_comes_from_the_mutant():
    crossed = weak_to_strong(np.zeros((1000, 11)), np.full((3, 11), 0.5), rng(), factor=0.5, crossover=0.5)
    assert (crossed == 0.5).mean() == pytest.approx(0.5 + 0.5 / 11, abs=0.02)


def test_two_points_make_no_mutant():
    points = rng().random((4, 2))
    assert weak_to_strong(points, np.zeros((2, 2)), rng(), factor=0.5, crossover=0.5).tolist() == points.tolist()


def test_the_elite_has_the_largest_sums():
    points = np.arange(8.0).reshape(4, 2)
    assert elite(points, np.array([[0.0, 1], [3, 0], [1, 1], [2, 0]]), 3).tolist() == [[2, 3], [4, 5], [6, 7]]


def test_screening_keeps_the_most_uncertain():
    variances = np.array([[1.0, 1.0], [0.1, 4.0], [2.0, 2.0], [0.5, 1.0]])  # information 2, 10.25, 1, 3
    assert most_uncertain(variances, 2).tolist() == [2, 0]


def test_the_reference_point_is_a_tenth_of_the_range_below_the_worst():
    assert reference_point(np.array([[0.0, -5.0], [1.0, 5.0]])).tolist() == pytest.approx([-0.1, -6.0])


def test_the_reference_point_is_the_same_in_all_units():
    values = rng().random((7, 2))
    np.testing.assert_allclose(reference_point(values * 30 - 4), reference_point(values) * 30 - 4)


def test_scores_are_standardised():
    known = observed(Told(np.zeros((2, 1)), np.array([[10.0, 5], [30.0, 4]])), 1)
    assert known.values.tolist() == [[-1, 1], [1, -1]]
    assert known.tasks == 1


def test_a_merge_without_scores_counts_as_the_worst():
    values = np.array([[1.0, 8], [np.nan, 9], [3.0, np.inf], [2.0, 6]])
    known = observed(Told(np.zeros((4, 1)), values), 2)
    assert known.failed == 2
    assert known.values[1, 0] == known.values[0, 0] == known.values[:, 0].min()
    assert known.values[2, 1] == known.values[3, 1] == known.values[:, 1].min()


def test_a_constant_objective_is_left_out():
    known = observed(Told(np.zeros((3, 1)), np.array([[0.5, 1, 2], [0.5, 3, 1], [0.5, 2, 5]])), 2)
    assert (known.constant.tolist(), known.values.shape, known.tasks) == ([True, False, False], (3, 2), 1)


@pytest.mark.parametrize("values", [[[1.0, 2]], [[1.0, 2], [np.nan, 3]], [[1.0, 2], [1.0, 2]]])
def test_nothing_is_learnt_from_too_little(values):
    assert not observed(Told(np.zeros((len(values), 1)), np.array(values)), 1).values.size


def test_of_one_value_nobody_knows_whether_it_is_constant():
    assert not observed(Told(np.zeros((2, 1)), np.array([[1.0, 2], [np.nan, 3]])), 1).constant.any()


def test_known_and_repeated_points_are_moved_a_little():
    points = np.array([[0.5, 0.5], [0.5, 0.5 + 1e-10], [1.0, 1.0], [0.2, 0.2]])
    moved = moved_apart(points, np.array([[1.0, 1.0]]), rng())
    assert moved[[0, 3]].tolist() == points[[0, 3]].tolist()
    assert 1e-9 < np.abs(moved - points)[[1, 2]].max() < 0.1
    assert moved.max() <= 1
    assert moved_apart(points[:1], NONE, rng()).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("objectives", [3, 4, 5])
def test_cells_are_botorchs(objectives):
    with isolated(0):
        from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning

        from agents.merge_settings.cells import Cells

    values = torch.from_numpy(rng().random((12, objectives)))
    reference = torch.full((objectives,), 0.1, dtype=torch.float64)
    theirs = FastNondominatedPartitioning(reference, Y=values)
    ours = Cells(reference, Y=values)
    assert torch.equal(ours.get_hypercell_bounds(), theirs.get_hypercell_bounds())
    assert ours.get_hypercell_bounds().shape[1] > 5


def test_what_is_isolated_begins_at_its_seed():
    drawn = []
    for _ in range(2):
        with isolated(7):
            drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[1]
