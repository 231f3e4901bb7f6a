"""Where MAP looks before it has a surrogate."""

from __future__ import annotations

import itertools

import numpy as np

from agents.merge_settings.fresh import fresh, uniform
from hm3.objectives import Array

NOISE = 0.1  # standard deviation of the noisy copies
_DIAGONAL = (0.5, 1.0, 0.0, 0.75, 0.25)


def design(dimensions: int, count: int, rng: np.random.Generator) -> Array:
    """The first points of MAP (arXiv 2406.07529), in the order in which a shorter design would do without them.

    Each expert alone, the diagonal on which all have the same (its middle first), then in turn a noisy copy of one of
    those (clipped to the cube) and a uniform point: only these have every expert in a part of its own.

    Args:
        dimensions: D.
        count: Points.
        rng: Draws the noise and the uniform points.

    Returns:
        (count, D) of the unit cube, all different.
    """
    none = np.empty((0, dimensions))
    regular = fresh(np.vstack([np.eye(dimensions), np.outer(_DIAGONAL, np.ones(dimensions))]), none)
    points = regular
    for each in itertools.cycle(regular):
        if len(points) >= count:
            break
        noisy = np.clip(each + rng.normal(0, NOISE, dimensions), 0, 1)
        points = np.vstack([points, fresh(noisy[None], points)])
        points = np.vstack([points, uniform(1, points, rng)])
    return points[:count]
