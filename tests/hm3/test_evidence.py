"""The ratio of two hypervolumes with its interval, where every resample can be listed."""

import math

import numpy as np
import pytest

from hm3.evidence import Interval, hypervolume_ratio
from hm3.objectives import Normaliser

UNIT = Normaliser(("math", "code"), (0.0, 0.0), (1.0, 1.0))
HALF = np.array([[0.5, 0.5]])  # one model, two items


def test_a_ratio_by_hand():
    """Math is drawn as {1, 1}, {1, 0.5} or {0.5, 0.5}: 2, 1.5 or 1 times the other's 0.5."""
    interval = hypervolume_ratio([np.array([[1.0, 0.5]]), HALF], [HALF, HALF], UNIT)
    assert (interval.value, interval.low, interval.high) == pytest.approx((1.5, 1.0, 2.0))


def test_the_same_models_are_exactly_as_good_in_every_resample():
    scores = [np.random.default_rng(0).random((4, 30)) for _ in range(2)]
    interval = hypervolume_ratio(scores, scores, UNIT, resamples=200)
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_more_models_are_never_less():
    scores = [np.random.default_rng(seed).random((6, 20)) for seed in range(2)]
    interval = hypervolume_ratio(scores, [each[:3] for each in scores], UNIT, resamples=200)
    assert 1.0 - 1e-12 <= interval.low <= interval.value <= interval.high


def test_more_items_make_the_interval_narrower():
    def width(items):
        generator = np.random.default_rng(1)
        ours, others = ([generator.random((1, items)) for _ in range(2)] for _ in range(2))
        interval = hypervolume_ratio(ours, others, UNIT, resamples=200)
        return interval.high - interval.low

    assert width(1000) < width(50) / 2


def test_an_interval_depends_on_its_seed_alone():
    scores = [np.random.default_rng(seed).random((2, 25)) for seed in range(2)]
    ours, others = [each[:1] for each in scores], [each[1:] for each in scores]
    ratios = [hypervolume_ratio(ours, others, UNIT, resamples=50, seed=seed) for seed in (1, 1, 2)]
    assert ratios[0] == ratios[1] != ratios[2]


def test_others_without_volume_make_the_ratio_infinite():
    nothing = np.zeros((1, 2))
    assert hypervolume_ratio([HALF, HALF], [HALF, nothing], UNIT, resamples=10) == Interval(
        math.inf, math.inf, math.inf
    )


def test_a_model_that_gave_no_numbers_adds_nothing():
    broken = np.vstack([HALF, [[np.nan, np.nan]]])
    assert hypervolume_ratio([broken, broken], [HALF, HALF], UNIT, resamples=10).value == 1.0
