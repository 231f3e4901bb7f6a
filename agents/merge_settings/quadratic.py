"""A quadratic function for each objective, by linear least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hm3.objectives import Array

PENALTIES = (0.0, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # features lie in [-1, 1]
_SURE = 1e-9  # a point whose leverage is nearer to 1 decides its own fitted value


def coefficients(dimensions: int) -> int:
    """Those of a full quadratic, (D + 1)(D + 2) / 2: one, D linear, D squares and all products of two."""
    return (dimensions + 1) * (dimensions + 2) // 2


@dataclass(frozen=True)
class QuadraticSurrogate:
    """Objectives as quadratic functions of a point, with all cross terms (MAP, arXiv 2406.07529, without its sigmoid).

    Attributes:
        constant: (M,).
        slopes: (C - 1, M) coefficients of the features, C as `coefficients` says.
        errors: (M,) root mean square of what each point's value was missed by when the others alone were fitted; nan
            where that cannot be said, because one point is all that is known.
    """

    constant: Array
    slopes: Array
    errors: Array

    @classmethod
    def fit(cls, points: Array, values: Array) -> QuadraticSurrogate:
        """The quadratics nearest to the values.

        The sum of squared slopes is penalised, for each objective by that of `PENALTIES` which makes its `errors`
        smallest. That is 0 where more points than coefficients, in general position, come from a quadratic: it is given
        back exactly. With fewer points the penalty is what leaves one answer of many.

        Args:
            points: (N, D) of the unit cube, N >= 1.
            values: (N, M), finite.
        """
        seen = _features(points)
        middle, constant = seen.mean(axis=0), values.mean(axis=0)
        left, singular, right = np.linalg.svd(seen - middle, full_matrices=False)
        kept = singular > max(seen.shape) * np.finfo(float).eps * singular.max(initial=1.0)
        left, singular, right = left[:, kept], singular[kept], right[kept]
        turned = left.T @ (values - constant)
        errors = np.stack([_left_out(left, singular, turned, values - constant, each) for each in PENALTIES])
        best = errors.argmin(axis=0)
        penalties = np.array(PENALTIES)[best]
        slopes = right.T @ (turned * singular[:, None] / (singular[:, None] ** 2 + penalties))
        least = errors.min(axis=0)
        return cls(constant - middle @ slopes, slopes, np.where(np.isfinite(least), least, np.nan))

    def __call__(self, points: Array) -> Array:
        """Objectives (n, M) at points (n, D)."""
        result: Array = self.constant + _features(points) @ self.slopes
        return result


def _features(points: Array) -> Array:
    """(n, C - 1) linear terms, squares and products, of the cube with its centre at 0."""
    centred = 2 * points - 1
    first, second = np.triu_indices(points.shape[1])
    return np.hstack([centred, centred[:, first] * centred[:, second]])


def _left_out(left: Array, singular: Array, turned: Array, values: Array, penalty: float) -> Array:
    """(M,) errors of leaving one out, in closed form: residual / (1 - leverage)."""
    share = singular**2 / (singular**2 + penalty)
    free = 1 - 1 / len(values) - (left**2 * share).sum(axis=1)
    if free.min() < _SURE:
        return np.full(values.shape[1], np.inf)
    residuals = values - left @ (share[:, None] * turned)
    result: Array = np.sqrt(((residuals / free[:, None]) ** 2).mean(axis=0))
    return result
