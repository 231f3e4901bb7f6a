"""What everything that proposes merge settings promises: a row of the table each."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from agents.merge_settings import MAP, MMMO, NSGA2, LinearGrid, RandomSettings, Told

QUICK = {"samples": 4, "restarts": 1, "raw_samples": 8, "steps": 3}
MAKE = {
    "random": RandomSettings,
    "MM-MO": lambda **given: MMMO(initial=4, **QUICK, **given),
    "MM-MO, plain": lambda **given: MMMO(initial=4, weak_to_strong=False, screening=False, **QUICK, **given),
    "MAP": lambda **given: MAP(initial=6, population=20, generations=4, **given),
    "NSGA-II": NSGA2,
    "linear grid": LinearGrid,
}
SEEDED = [name for name in MAKE if name != "linear grid"]
LIGHT = [name for name in MAKE if not name.startswith("MM-MO")]
each_proposer = pytest.mark.parametrize("name", MAKE)


def proposer(name, seed=0, dimensions=3):
    return MAKE[name](dimensions=dimensions, tasks=2, names=("a", "b"), seed=seed)


def judged(points):
    return np.column_stack([-(points**2).sum(axis=1), np.sin(7 * points[:, 0]) - points[:, -1]])


def with_points(told, points):
    return Told(np.vstack([told.points, points]), np.vstack([told.values, judged(points)]))


def searched(name, budget, batch, seed=0, dimensions=3):
    """A search whose proposer is made anew for every batch, as after a kill."""
    told = Told(np.empty((0, dimensions)), np.empty((0, 2)))
    while len(told.points) < budget:
        points = proposer(name, seed, dimensions).propose(told, min(batch, budget - len(told.points)))
        told = with_points(told, points)
    return told


def states():
    """Of the global generators, and how many threads torch may use."""
    numpy = np.random.get_state()[1].tolist()  # noqa: NPY002
    return random.getstate(), numpy, torch.get_rng_state().tolist(), torch.get_num_threads()


@each_proposer
@pytest.mark.parametrize("batch", [1, 5])
def test_it_asks_for_new_points_of_the_cube_until_the_budget_ends(name, batch):
    points = searched(name, 13, batch).points
    assert points.shape == (13, 3)
    assert points.dtype == np.float64
    assert points.min() >= 0
    assert points.max() <= 1
    assert min(np.abs(points[i] - points[j]).max() for i in range(13) for j in range(i)) > 1e-9


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("batch", [7, 50])
def test_a_long_search_asks_for_nothing_twice(name, batch):
    points = searched(name, 43, batch).points
    assert points.shape == (43, 3)
    assert len(np.unique(points, axis=0)) == 43


@pytest.mark.parametrize("name", SEEDED)
def test_one_dimension_is_enough(name):
    assert len(np.unique(searched(name, 14, 5, dimensions=1).points)) == 14


@each_proposer
def test_scores_that_failed_are_no_obstacle(name):
    points = np.random.default_rng(0).random((24, 3))
    values = judged(points)
    values[::3] = np.nan
    assert 1 <= len(proposer(name).propose(Told(points, values), 5)) <= 5


@each_proposer
def test_it_keeps_nothing_between_batches(name):
    one, told = proposer(name), Told(np.empty((0, 3)), np.empty((0, 2)))
    while len(told.points) < 12:
        told = with_points(told, one.propose(told, 4))
    assert told.points[:12].tolist() == searched(name, 12, 4).points.tolist()


@each_proposer
def test_it_asks_for_its_initial_points_before_anything_is_learnt(name):
    initial = proposer(name).initial
    assert len(searched(name, initial, initial).points) == initial


@each_proposer
def test_global_generators_and_what_was_told_stay_as_they_were(name):
    told = searched(name, 12, 6)
    points, values, before = told.points.copy(), told.values.copy(), states()
    proposer(name).propose(told, 3)
    assert states() == before
    assert (told.points.tolist(), told.values.tolist()) == (points.tolist(), values.tolist())


@each_proposer
def test_global_generators_do_not_matter(name):
    told = searched(name, 12, 6)
    first = proposer(name).propose(told, 3)
    torch.rand(1), random.random(), np.random.rand()  # noqa: NPY002
    assert proposer(name).propose(told, 3).tolist() == first.tolist()


@pytest.mark.parametrize("name", SEEDED)
def test_the_seed_decides(name):
    assert searched(name, 8, 4, seed=0).points.tolist() != searched(name, 8, 4, seed=1).points.tolist()


@each_proposer
def test_points_of_others_may_be_told(name):
    points = np.random.default_rng(0).random((9, 3))
    told = with_points(Told(np.empty((0, 3)), np.empty((0, 2))), points)
    proposed = proposer(name).propose(told, 4)
    assert 1 <= len(proposed) <= 4
    assert not (proposed[:, None] == points).all(axis=-1).any()


ELSEWHERE = """
import sys, torch
sys.path.insert(0, {folder!r})
torch.set_num_threads({threads})
import test_contract
print(test_contract.searched("MM-MO", 8, 4).points.tolist())
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_another_process_asks_for_the_same(threads, request):
    code = ELSEWHERE.format(folder=str(request.path.parent), threads=threads)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(searched("MM-MO", 8, 4).points.tolist())
