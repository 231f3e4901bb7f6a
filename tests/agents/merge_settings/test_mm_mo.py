"""MM-MO as a whole: known fronts, any units, and what can go wrong with scores."""

import logging
import subprocess
import sys

import moocore
import numpy as np
import pytest
from pymoo.problems import get_problem

from agents.merge_settings import MMMO, RandomSettings, Told
from hm3.errors import ConfigurationError

QUICK = {"samples": 4, "restarts": 1, "raw_samples": 16, "steps": 5}
ZDT1, DTLZ2 = get_problem("zdt1", n_var=6), get_problem("dtlz2", n_var=6, n_obj=3)
NAMES = ("first", "second", "third")


def zdt1(points):
    return -ZDT1.evaluate(points)


def dtlz2(points):
    return -DTLZ2.evaluate(points)


def made(make=MMMO, names=("first", "second"), dimensions=6, **settings):
    return make(dimensions=dimensions, tasks=len(names), names=names, **settings)


def searched(proposer, judge, budget, batch=5):
    points = np.empty((0, 6))
    while len(points) < budget:
        points = np.vstack([points, proposer.propose(Told(points, judge(points)), min(batch, budget - len(points)))])
    return points


def told(judge=zdt1, count=12):
    points = np.random.default_rng(3).random((count, 6))
    return Told(points, judge(points))


def volume(values, reference):
    inside = values[(values > reference).all(axis=1)]
    return moocore.hypervolume(inside, ref=reference, maximise=True) if len(inside) else 0.0


# ZDT1's front bounds 1.21 - 1/3 = 0.877 above (-1.1, -1.1); of 60 random points none comes near.
def test_zdt1_in_60_evaluations():
    found = volume(zdt1(searched(made(screening=False, **QUICK), zdt1, 60, batch=10)), -1.1)
    assert found > 0.6
    assert found > volume(zdt1(searched(made(RandomSettings), zdt1, 60)), -1.1)


ENOUGH = {"samples": 8, "restarts": 2, "raw_samples": 32, "steps": 15}


# ZDT1's front bounds 0.877 above -1.1, DTLZ2's 8 - pi / 6 = 7.476 above -2 and 0.807 above -1.1. Its front bulges
# towards the reference point: the largest sums of scores are at its ends, and the elite pulls there.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("judge", "names", "settings", "batch", "reference", "enough"),
    [
        (zdt1, NAMES[:2], {}, 5, -1.1, 0.7),
        (dtlz2, NAMES, ENOUGH, 10, -2, 6.5),
        (dtlz2, NAMES, ENOUGH | {"weak_to_strong": False, "screening": False}, 10, -1.1, 0.4),
    ],
)
def test_fronts_in_60_evaluations(judge, names, settings, batch, reference, enough):
    found = volume(judge(searched(made(names=names, **settings), judge, 60, batch)), reference)
    assert found > enough
    assert found > volume(judge(searched(made(RandomSettings, names=names), judge, 60)), reference)


def test_it_begins_as_random_search_with_its_seed():
    begun = searched(made(seed=5), zdt1, 10, batch=4)
    assert begun.tolist() == searched(made(RandomSettings, seed=5), zdt1, 10, batch=10).tolist()


def test_after_that_it_does_not():
    known = told()
    proposed = made(**QUICK).propose(known, 3)
    assert np.abs(proposed - made(RandomSettings).propose(known, 3)).max() > 0.01


def test_units_do_not_matter():
    known = told()
    other = Told(known.points, known.values * [1e6, 1e-3] + [5e5, -7])
    np.testing.assert_allclose(made(**QUICK).propose(known, 4), made(**QUICK).propose(other, 4), rtol=0, atol=1e-6)


@pytest.mark.parametrize("switch", ["weak_to_strong", "screening"])
def test_switches_change_what_is_proposed(switch):
    on, off = (made(**QUICK, **{switch: value}).propose(told(), 3).tolist() for value in (True, False))
    assert on != off


def test_only_tasks_make_the_elite():
    known = told()
    one, both = (MMMO(dimensions=6, tasks=tasks, names=NAMES[:2], **QUICK).propose(known, 3) for tasks in (1, 2))
    assert one.tolist() != both.tolist()


def test_a_constant_objective_is_named_once_and_does_not_matter(caplog):
    known, proposer = told(), made(names=NAMES, **QUICK)
    more = Told(known.points, np.insert(known.values, 1, 0.25, axis=1))
    with caplog.at_level(logging.WARNING):
        proposed = [proposer.propose(more, 3).tolist() for _ in range(2)]
    assert caplog.messages == ["objective second: constant so far at 0.25, left out of the model"]
    assert proposed == [made(**QUICK).propose(known, 3).tolist()] * 2


def test_one_objective_that_changes_is_enough():
    points = np.random.default_rng(0).random((15, 6))
    known = Told(points, np.column_stack([-((points - 0.5) ** 2).sum(axis=1), np.zeros(15)]))
    proposed = made(weak_to_strong=False, screening=False, **QUICK).propose(known, 2)
    assert ((proposed - 0.5) ** 2).sum(axis=1).min() < ((points - 0.5) ** 2).sum(axis=1).min()


@pytest.mark.parametrize(
    "judge", [lambda points: np.ones((len(points), 2)), lambda points: np.full((len(points), 2), np.nan)]
)
def test_where_nothing_is_learnt_random_search_goes_on(judge):
    known = told(judge)
    assert made(**QUICK).propose(known, 3).tolist() == made(RandomSettings).propose(known, 3).tolist()


def test_merges_without_scores_are_counted_once_and_avoided(caplog):
    def left_half_fails(points):
        return np.where(points[:, :1] < 0.5, np.nan, zdt1(points))

    proposer = made(initial=12, weak_to_strong=False, screening=False, **QUICK)
    proposed = proposer.propose(told(left_half_fails), 4)
    proposer.propose(told(left_half_fails), 1)
    lines = [line for line in caplog.messages if "no scores" in line]
    failed = np.isnan(told(left_half_fails).values[:, 0]).sum()
    assert lines == [f"{failed} of 12 merges gave no scores: they count as the worst ones so far"]
    assert (proposed[:, 0] > 0.5).mean() >= 0.5


def test_a_process_that_cannot_be_fitted_keeps_its_priors(monkeypatch):
    from agents.merge_settings import surrogate

    def fails(_):
        raise surrogate.ModelFittingError

    monkeypatch.setattr(surrogate, "fit_gpytorch_mll", fails)
    assert made(**QUICK).propose(told(), 3).shape == (3, 6)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"initial": 1}, "parameter.proposer.initial: an integer of at least 2, got 1"),
        ({"crossover": 1.5}, "parameter.proposer.crossover: a finite number from 0 to 1, got 1.5"),
        ({"screening": "no"}, "parameter.proposer.screening: true or false, got 'no'"),
        ({"elite": 2}, "parameter.proposer.elite: an integer of at least 3, got 2"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings, line):
    with pytest.raises(ConfigurationError) as error:
        made(**settings)
    assert str(error.value) == line


def test_botorch_is_imported_only_when_it_works():
    code = "import sys, hm3.train, agents.merge_settings; print({'botorch', 'gpytorch'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "set()\n"
