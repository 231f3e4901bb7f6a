import numpy as np
import pytest

from agents.merge_settings.quadratic import PENALTIES, QuadraticSurrogate, coefficients


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def quadratic(points, rng, objectives=2):
    """One that has nothing to do with how the surrogate writes it: a constant, a row and a full matrix each."""
    size = points.shape[1]
    constant, slope, square = (
        rng.normal(size=objectives),
        rng.normal(size=(objectives, size)),
        rng.normal(size=(objectives, size, size)),
    )
    return lambda at: constant + at @ slope.T + np.einsum("ni,mij,nj->nm", at, square, at)


@pytest.mark.parametrize(("dimensions", "number"), [(1, 3), (2, 6), (3, 10), (4, 15), (8, 45)])
def test_a_quadratic_has_so_many_coefficients(dimensions, number):
    assert coefficients(dimensions) == number


@pytest.mark.parametrize("dimensions", [1, 2, 3, 6])
def test_a_quadratic_is_given_back_everywhere(dimensions, rng):
    points = rng.random((2 * coefficients(dimensions), dimensions))
    truth = quadratic(points, rng)
    surrogate = QuadraticSurrogate.fit(points, truth(points))
    elsewhere = rng.random((50, dimensions))
    np.testing.assert_allclose(surrogate(elsewhere), truth(elsewhere), atol=1e-9)
    np.testing.assert_allclose(surrogate.errors, 0, atol=1e-9)


def test_one_by_eye():
    points = np.array([[0.0], [0.25], [0.5], [1.0]])
    surrogate = QuadraticSurrogate.fit(points, points**2)
    assert surrogate(np.array([[3.0]]))[0, 0] == pytest.approx(9)


def test_the_errors_are_those_of_fits_without_one_point(rng):
    points = rng.random((14, 2))
    values = np.sin(5 * points) + rng.normal(0, 0.1, (14, 2))
    by_penalty = [np.sqrt(np.mean(missed(points, values, each) ** 2, axis=0)) for each in PENALTIES]
    np.testing.assert_allclose(QuadraticSurrogate.fit(points, values).errors, np.min(by_penalty, axis=0))
    assert len(set(np.argmin(by_penalty, axis=0))) == 2  # each objective has a penalty of its own


def missed(points, values, penalty):
    """(N, M) what ridge regression on all points but one misses that one by."""
    u = 2 * points - 1
    features = np.column_stack([np.ones(len(u)), u, u[:, 0] ** 2, u[:, 0] * u[:, 1], u[:, 1] ** 2])
    weights = penalty * np.diag([0.0, 1, 1, 1, 1, 1])
    rows = []
    for out in range(len(points)):
        seen, known = np.delete(features, out, axis=0), np.delete(values, out, axis=0)
        rows.append(values[out] - features[out] @ np.linalg.solve(seen.T @ seen + weights, seen.T @ known))
    return np.array(rows)


def test_noise_in_one_objective_leaves_the_others_exact(rng):
    points = rng.random((14, 2))
    truth = points[:, 0] * points[:, 1]
    surrogate = QuadraticSurrogate.fit(points, np.column_stack([rng.normal(size=14), truth]))
    assert surrogate.errors[0] > 0.5
    np.testing.assert_allclose(surrogate(points)[:, 1], truth, atol=1e-9)


def test_with_fewer_points_than_coefficients_it_is_tame(rng):
    points = rng.random((6, 4))
    truth = points.sum(axis=1, keepdims=True)
    surrogate = QuadraticSurrogate.fit(points, truth)
    elsewhere = rng.random((200, 4))
    assert np.abs(surrogate(elsewhere) - elsewhere.sum(axis=1, keepdims=True)).max() < 2
    assert np.isfinite(surrogate.errors).all()


def test_one_point_gives_a_constant_and_no_error():
    surrogate = QuadraticSurrogate.fit(np.array([[0.2, 0.4]]), np.array([[3.0]]))
    assert surrogate(np.random.default_rng(0).random((4, 2))).tolist() == [[3.0]] * 4
    assert np.isnan(surrogate.errors).all()


def test_each_objective_keeps_its_own_units(rng):
    points = rng.random((20, 2))
    values = np.column_stack([np.sin(9 * points[:, 0])] * 2) * [1.0, 1e6] + [0.0, 1e8]
    surrogate = QuadraticSurrogate.fit(points, values)
    assert surrogate.errors[1] == pytest.approx(1e6 * surrogate.errors[0], rel=1e-4)
    np.testing.assert_allclose(surrogate(points)[:, 1], 1e8 + 1e6 * surrogate(points)[:, 0], rtol=1e-9)
