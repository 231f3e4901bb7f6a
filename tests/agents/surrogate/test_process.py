"""Processes over stacks: features that a person can count, and posteriors that scikit-learn computes too."""

import numpy as np
import pytest
import torch

from agents.surrogate.features import features
from agents.surrogate.kernel import START, covariance, noise
from agents.surrogate.process import StackProcess
from envs import table_space

SPACE = table_space(4, host="follow")
WHOLE, HALF, OTHER = ([0, 1, 2, 3], 0), ([0, 1, 6, 7], 0), ([4, 5, 6, 7], 0)


def test_half_of_each_source_shares_half_of_its_layers():
    layers, _ = features(SPACE, [HALF]).shared(features(SPACE, [WHOLE, OTHER]))
    assert layers[0].tolist() == pytest.approx([0.5, 0.5])


def test_the_ends_are_neighbours_too():
    # begin-0, 0-1, 1-2, 2-3, 3-end against begin-0, 0-1, 1-6, 6-7, 7-end: two of five are the same
    _, met = features(SPACE, [HALF]).shared(features(SPACE, [WHOLE]))
    assert met.item() == pytest.approx(2 / 5)


def test_the_second_use_of_a_layer_is_another_one():
    twice, once = ([0, 1, 1, 2], 0), ([0, 1, 2, 3], 0)
    layers, _ = features(SPACE, [twice]).shared(features(SPACE, [once]))
    assert layers.item() == pytest.approx(3 / 4)


def test_hosts_count_where_they_are_searched():
    space = table_space(4)
    _, met = features(space, [([0, 1, 2, 3], 1)]).shared(features(space, [([0, 1, 2, 3], 2)]))
    assert met.item() == pytest.approx(3 / 5)


def stacks(count, seed):
    rng = np.random.default_rng(seed)
    return [([int(rng.integers(4)) * 4 + layer for layer in range(4)], 0) for _ in range(count)]


def worth(many):
    """Two objectives that a few layers and one meeting decide."""
    return np.array(
        [[(s[0][0] < 4) + 0.5 * (s[0][3] > 7), (s[0][1] + 1 == s[0][2]) - 0.2 * (s[0][2] < 8)] for s in many]
    )


def test_what_was_seen_is_known_and_what_was_not_is_learnt():
    seen, unseen = stacks(60, 0), stacks(40, 1)
    process = StackProcess.fit(features(SPACE, seen), worth(seen))
    means, deviations = process.predict(features(SPACE, seen))
    assert np.abs(means - worth(seen)).max() < 0.1
    guessed, unsure = process.predict(features(SPACE, unseen))
    left = (guessed - worth(unseen)).std(axis=0) / worth(unseen).std(axis=0)
    assert (left < 0.35).all()
    assert unsure.mean() > deviations.mean()


def test_the_posterior_is_that_of_scikit_learn():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import PairwiseKernel

    seen, unseen = features(SPACE, stacks(20, 0)), features(SPACE, stacks(7, 1))
    values, settings = worth(stacks(20, 0)), torch.tensor(START, dtype=torch.float64)
    process = StackProcess.fit(seen, values, steps=0)
    every = [*stacks(20, 0), *stacks(7, 1)]
    gram = covariance(features(SPACE, every).shared(features(SPACE, every)), settings).numpy()
    kernel = PairwiseKernel(metric=lambda a, b, gamma: gram[int(a[0]), int(b[0])])
    theirs = GaussianProcessRegressor(kernel, alpha=noise(settings).item(), optimizer=None)
    theirs.fit(np.arange(20)[:, None], (values - process.means) / process.scales)
    means, deviations = theirs.predict(np.arange(20, 27)[:, None], return_std=True)
    ours = process.predict(unseen)
    assert ours[0] == pytest.approx(means * process.scales + process.means, abs=1e-6)
    assert ours[1] == pytest.approx(deviations * process.scales, abs=1e-5)


def test_joint_draws_have_the_predicted_moments():
    seen, unseen = stacks(20, 0), features(SPACE, stacks(5, 1))
    process = StackProcess.fit(features(SPACE, seen), worth(seen), steps=0)
    drawn = process.samples(unseen, 4000, np.random.default_rng(0))
    means, deviations = process.predict(unseen)
    assert drawn.shape == (4000, 5, 2)
    assert np.abs(drawn.mean(axis=0) - means).max() < 0.05
    assert np.abs(drawn.std(axis=0) - deviations).max() < 0.05
