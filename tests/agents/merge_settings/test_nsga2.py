import numpy as np
import pytest
from pymoo.algorithms.moo import nsga2 as pymoo_nsga2
from pymoo.core.callback import Callback
from pymoo.indicators.hv import HV
from pymoo.optimize import minimize
from pymoo.problems import get_problem

from agents.merge_settings import Told
from agents.merge_settings.nsga2 import NSGA2
from agents.merge_settings.population import begun, tell
from hm3.archive import hypervolume
from hm3.errors import ConfigurationError

ZDT1 = get_problem("zdt1", n_var=5)
NOTHING = Told(np.empty((0, 5)), np.empty((0, 2)))


def zdt1(points):
    return -ZDT1.evaluate(points)


def with_more(told, points, values):
    return Told(np.vstack([told.points, points]), np.vstack([told.values, values]))


def searched(proposer, budget, batch, values=zdt1):
    told = NOTHING
    while len(told.points) < budget:
        points = proposer.propose(told, min(batch, budget - len(told.points)))
        told = with_more(told, points, values(points))
    return told


class Evaluated(Callback):
    """Everything that pymoo evaluates, in order."""

    def __init__(self):
        super().__init__()
        self.points = []

    def notify(self, algorithm):
        self.points.append(algorithm.off.get("X"))


def pymoos(population, generations, seed):
    seen = Evaluated()
    minimize(ZDT1, pymoo_nsga2.NSGA2(pop_size=population), ("n_gen", generations), seed=seed, callback=seen)
    return np.vstack(seen.points)


@pytest.mark.parametrize("batch", [1, 7, 10, 64])
def test_in_batches_of_any_size_it_is_pymoos_own_run(batch):
    told = searched(NSGA2(dimensions=5, seed=3), 60, batch)
    np.testing.assert_array_equal(told.points, pymoos(10, 6, 3))


def test_a_budget_may_end_within_a_generation():
    told = searched(NSGA2(dimensions=5, seed=1, population=8), 37, 5)
    np.testing.assert_array_equal(told.points, pymoos(8, 5, 1)[:37])


def test_it_gains_on_zdt1_and_pymoo_measures_the_same_volume():
    told = searched(NSGA2(dimensions=5, seed=0, population=20), 400, 20)
    first, last = (hypervolume(told.values[:count] + 1.1) for count in (20, 400))
    assert first == 0
    assert last > 0.25
    assert last == pytest.approx(HV(ref_point=[1.1, 1.1])(-told.values))


def test_what_failed_is_never_a_parent_for_long():
    def left_half_fails(points):
        return np.where(points[:, :1] < 0.5, np.nan, zdt1(points))

    told = searched(NSGA2(dimensions=5, seed=0), 100, 10, left_half_fails)
    failed = np.isnan(told.values).any(axis=1)
    assert 2 <= failed[:10].sum() <= 8
    assert failed[-30:].mean() < 0.2


def test_a_failure_ranks_behind_everything():
    algorithm = begun(pymoo_nsga2.NSGA2(pop_size=4, seed=0), 5, 2)
    asked = algorithm.ask()
    tell(algorithm, asked, np.array([[-1e9, -1e9], [np.nan, 5.0], [1.0, 0.0], [0.0, 1.0]]))
    assert asked.get("rank").tolist() == [1, 2, 0, 0]


def test_what_was_judged_has_the_offspring_not_what_would_have_been_asked():
    judged = 0.95 + 0.01 * np.random.default_rng(0).random((10, 5))
    told = with_more(NOTHING, judged, zdt1(judged))
    assert NSGA2(dimensions=5).propose(told, 10).min(axis=1).mean() > 0.8


def test_points_of_somebody_else_count_towards_the_generation():
    judged = np.random.default_rng(5).random((4, 5))
    assert len(NSGA2(dimensions=5).propose(with_more(NOTHING, judged, zdt1(judged)), 50)) == 6


def test_a_generation_that_fails_altogether_is_followed_by_another():
    points = NSGA2(dimensions=5).propose(NOTHING, 10)
    after = NSGA2(dimensions=5).propose(Told(points, np.full((10, 2), np.nan)), 10)
    assert len(after) == 10
    assert not (after[:, None] == points).all(axis=-1).any()


def test_where_offspring_cannot_differ_it_goes_on_at_random():
    same = Told(np.zeros((4, 5)), np.zeros((4, 2)))
    assert len(NSGA2(dimensions=5, population=4).propose(same, 4)) == 4


def test_a_population_of_two_is_refused():
    with pytest.raises(ConfigurationError, match=r"parameter\.proposer\.population: an integer of at least 4, got 2"):
        NSGA2(dimensions=3, population=2)
