"""Expected running times, shares and intervals, with values to check by eye."""

import math

import pytest

from scripts.benchmark.interval import interval, resampled, shown
from scripts.benchmark.search.figures import area, curve, share
from scripts.benchmark.search.reached import Reached, finite

STEPS = [(4, 0.5, 0.9), (10, 0.8, 0.95), (30, 0.96, 0.99)]
EARLY = {"steps": STEPS, "evaluations": 40, "budget": 40}
NEVER = {"steps": STEPS[:2], "evaluations": 40, "budget": 40}


def test_a_goal_is_reached_with_the_stack_that_passes_it():
    reached = Reached.of([EARLY], "nadir", 0.95)
    assert reached.hits == (30,)
    assert reached.spent == (30,)
    assert reached.success == 1
    assert Reached.of([EARLY], "zero", 0.95).hits == (10,)


def test_the_expected_running_time_charges_failures_with_all_they_spent():
    reached = Reached.of([EARLY, NEVER], "nadir", 0.95)
    assert reached.hits == (30, None)
    assert reached.success == 0.5
    assert reached.expected([0, 1]) == (30 + 40) / 1
    assert reached.expected([1]) == math.inf
    assert reached.time[0] == 70


def test_a_method_that_never_arrives_takes_for_ever_and_json_says_none():
    assert finite(Reached.of([NEVER], "nadir", 0.95).time) == [None] * 3


def test_a_ratio_is_of_expected_times():
    fast, slow = ({**EARLY, "steps": [(n, 0.99, 0.99)]} for n in (10, 40))
    assert Reached.of([fast] * 3, "nadir", 0.95).over(Reached.of([slow] * 3, "nadir", 0.95)) == [0.25] * 3


def test_a_share_holds_until_the_next_step():
    assert [share(EARLY, "nadir", n) for n in (3, 4, 9, 10, 29, 30, 400)] == [0, 0.5, 0.5, 0.8, 0.8, 0.96, 0.96]


def test_an_area_is_the_mean_share():
    assert area(EARLY, "nadir", 10) == pytest.approx((3 * 0 + 6 * 0.5 + 0.8) / 10)


def test_a_curve_ends_with_the_budget():
    numbers = [row[0] for row in curve([EARLY, NEVER], "nadir")]
    assert numbers[0] == 4
    assert numbers[-1] <= 40
    assert numbers == sorted(set(numbers))


def test_an_interval_is_students_and_a_bootstrap_is_always_the_same():
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert high - mean == pytest.approx(mean - low, abs=1e-3) == pytest.approx(4.303 / 3**0.5, abs=1e-3)
    values = [1.0, 2.0, 3.0, 4.0]
    once, again = (resampled(4, lambda drawn: sum(values[n] for n in drawn) / len(drawn)) for _ in range(2))
    assert once == again
    assert once[0] == 2.5
    assert 1 <= once[1] < 2
    assert 3 < once[2] <= 4


def test_an_interval_is_shown_beside_its_mean():
    assert shown([0.5, 0.25, 0.75], 2) == "0.50 [0.25, 0.75]"
    assert shown([1234.0, 1234.0, 1234.0], 0) == "1,234"
