"""Processes over stacks: covariances that a person can compute, and posteriors that scikit-learn computes too."""

import math

import numpy as np
import pytest
import torch

from agents.surrogate.features import features
from agents.surrogate.kernel import FLOOR, NOISE, Kernel
from agents.surrogate.process import StackProcess, fitted
from envs import table_space

SPACE = table_space(4, host="follow")
START = Kernel.start(2, 6, SPACE.sources)


def stacks(count, seed):
    rng = np.random.default_rng(seed)
    return [([int(rng.integers(4)) * 4 + layer for layer in range(4)], 0) for _ in range(count)]


def worth(many):
    """Two objectives that a few layers and one meeting decide."""
    return np.array(
        [[(s[0][0] < 4) + 0.5 * (s[0][3] > 7), (s[0][1] + 1 == s[0][2]) - 0.2 * (s[0][2] < 8)] for s in many]
    )


def gram(kernel, first, second):
    return kernel.covariance(kernel.points(features(SPACE, first)), kernel.points(features(SPACE, second)))


def test_two_sources_at_one_index_are_as_unlike_as_their_points_are_apart():
    one, other = [([0, 1, 2, 3], 0)], [([0, 5, 2, 3], 0)]
    assert gram(START, one, other)[0].item() == pytest.approx(math.exp(-math.exp(-2) * 2 * 0.7**2))


def test_sources_at_the_same_point_are_alike():
    alike = START.sources.clone()
    alike[:, 1] = alike[:, 0]
    kernel = Kernel(START.places, alike, START.jumps, START.scale, START.noise)
    assert gram(kernel, [([0, 1, 2, 3], 0)], [([4, 5, 6, 7], 0)])[0].item() == pytest.approx(1.0)


def test_a_place_that_nothing_depends_on_makes_no_difference():
    places = START.places.clone()
    places[:, 1] = -50.0
    kernel = Kernel(places, START.sources, START.jumps, START.scale, START.noise)
    assert gram(kernel, [([0, 1, 2, 3], 0)], [([0, 5, 2, 3], 0)])[0].item() == pytest.approx(1.0)


def test_fitting_makes_predictions_better():
    seen = features(SPACE, stacks(40, 0))
    learnt = fitted(START, seen, worth(stacks(40, 0)), 80)
    values = worth(stacks(40, 2))

    def off(kernel):
        guessed, _ = StackProcess.of(kernel, seen, worth(stacks(40, 0))).predict(features(SPACE, stacks(40, 2)))
        return np.square(guessed - values).mean()

    assert off(learnt) < 0.7 * off(START)


def test_what_was_seen_is_known_and_what_was_not_is_learnt():
    seen, unseen = stacks(60, 0), stacks(40, 1)
    kernel = fitted(START, features(SPACE, seen), worth(seen), 100)
    process = StackProcess.of(kernel, features(SPACE, seen), worth(seen))
    means, deviations = process.predict(features(SPACE, seen))
    assert np.abs(means - worth(seen)).max() < 0.1
    guessed, unsure = process.predict(features(SPACE, unseen))
    left = (guessed - worth(unseen)).std(axis=0) / worth(unseen).std(axis=0)
    assert (left < 0.2).all()
    assert unsure.mean() > deviations.mean()


def test_the_posterior_is_that_of_scikit_learn():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import PairwiseKernel

    every, values = [*stacks(20, 0), *stacks(7, 1)], worth(stacks(20, 0))
    process = StackProcess.of(START, features(SPACE, every[:20]), values)
    known = gram(START, every, every)[0].numpy()
    kernel = PairwiseKernel(metric=lambda a, b, gamma: known[int(a[0]), int(b[0])])
    theirs = GaussianProcessRegressor(kernel, alpha=math.exp(NOISE) + FLOOR, optimizer=None)
    theirs.fit(np.arange(20)[:, None], (values - process.means) / process.scales)
    means, deviations = theirs.predict(np.arange(20, 27)[:, None], return_std=True)
    ours = process.predict(features(SPACE, every[20:]))
    assert ours[0] == pytest.approx(means * process.scales + process.means, abs=1e-6)
    assert ours[1] == pytest.approx(deviations * process.scales, abs=1e-5)


def test_an_objective_that_never_differs_is_no_trouble():
    seen, constant = features(SPACE, stacks(10, 0)), np.full((10, 2), 0.5)
    process = StackProcess.of(fitted(START, seen, constant, 5), seen, constant)
    assert process.predict(seen)[0] == pytest.approx(constant)


def test_a_kernel_comes_back_from_json_bit_for_bit():
    kernel = fitted(START, features(SPACE, stacks(20, 0)), worth(stacks(20, 0)), 5)
    again = Kernel.from_json(kernel.to_json())
    assert all(torch.equal(*parts) for parts in zip(kernel.parts, again.parts, strict=True))
