"""No point is worth a second evaluation."""

from __future__ import annotations

import numpy as np

from agents.merge_settings.fresh import is_fresh
from hm3.objectives import Array

APART = 1e-9  # points that differ by no more are the same
STEP = 0.01  # standard deviation of a move


def moved_apart(points: Array, known: Array, rng: np.random.Generator) -> Array:
    """The points, but those that are known or repeat an earlier one are moved a little, within the cube.

    Args:
        points: (n, D) of the unit cube.
        known: (N, D).
        rng: Draws the moves.
    """
    points = points.copy()
    while not (new := is_fresh(points, known, APART)).all():
        points[~new] = np.clip(points[~new] + rng.normal(0, STEP, points[~new].shape), 0, 1)
    return points
