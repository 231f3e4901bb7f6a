"""Points that are worth an evaluation: none that is known already."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hm3.objectives import Array


def is_fresh(points: Array, known: Array, apart: float = 0.0) -> NDArray[np.bool_]:
    """(n,) which points are neither known nor repeat an earlier one of their own.

    Args:
        points: (n, D).
        known: (k, D).
        apart: Points whose largest difference is at most that are the same.
    """
    fresh = np.ones(len(points), dtype=bool)
    for row, point in enumerate(points):
        others = np.vstack([known, points[:row][fresh[:row]]])
        fresh[row] = not (np.abs(others - point).max(axis=1) <= apart).any()
    return fresh


def fresh(points: Array, known: Array, apart: float = 0.0) -> Array:
    """The rows of `points` that `is_fresh`, in order."""
    return points[is_fresh(points, known, apart)]


def uniform(count: int, known: Array, rng: np.random.Generator) -> Array:
    """(count, D) points of the unit cube, none of them known.

    Args:
        count: How many.
        known: (k, D).
        rng: The generator.
    """
    found = np.empty((0, known.shape[1]))
    while len(found) < count:
        more = rng.random((count - len(found), known.shape[1]))
        found = np.vstack([found, fresh(more, np.vstack([known, found]))])
    return found
