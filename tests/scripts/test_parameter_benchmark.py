"""The figures and the plan of the parameter level's benchmark."""

import pytest

from scripts.benchmark.interval import interval
from scripts.benchmark.parameter.figures import report
from scripts.benchmark.parameter.lattice import spread
from scripts.benchmark.parameter.methods import METHODS
from scripts.benchmark.parameter.plans import FIRST_ONLY, QUICK, WHOLE, Plan


def test_an_interval_is_students():
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert high - mean == pytest.approx(mean - low, abs=1e-3) == pytest.approx(4.303 / 3**0.5, abs=1e-3)


def test_a_single_value_is_its_own_interval():
    assert interval([0.5]) == [0.5, 0.5, 0.5]


def test_every_method_has_every_seed_and_ablations_the_first_budget_only():
    trials = WHOLE.trials(10)
    for name, method in METHODS.items():
        seeds = {trial.seed for trial in trials if trial.method == name}
        assert seeds == ({10, 11, 12, 13, 14} if method.seeded else {10})
    assert {trial.budgets for trial in trials if trial.method in FIRST_ONLY} == {(30,)}
    assert {run.seed for run in WHOLE.runs(10)} == {10, 11, 12, 13, 14}


def test_preferences_are_spread_whatever_their_number():
    points = spread(3, 10).tolist()
    assert len({tuple(point) for point in points}) == 10
    assert sorted(points[1:4]) == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert spread(3, 10)[:4].tolist() == points[:4]


def part(method, seed, volume):
    figures = {"30": {"search": volume, "test": volume, "front": 4}}
    return {"method": method, "seed": seed, "hypervolume": figures, "seconds": 1.0, "peak": 2**20}


def test_the_last_line_has_what_is_promised():
    plan = Plan(2, (30,), ("mm_mo", "random"), (), 0)
    parts = [part("mm_mo", 0, 0.9), part("mm_mo", 1, 0.92), part("random", 0, 0.8), part("random", 1, 0.8)]
    summary = report(parts, plan).summary
    assert summary["hypervolume"]["random"] == [0.8, 0.8, 0.8]
    assert summary["hypervolume"]["mm_mo"][0] == pytest.approx(0.91)
    assert (summary["evaluations"], summary["seeds"]) == (30, 2)


def test_the_quick_form_is_a_part_of_the_whole():
    assert set(QUICK.methods) <= set(WHOLE.methods)
