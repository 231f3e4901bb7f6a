"""Which of some points would add most to a front, if they were as good as predicted."""

from __future__ import annotations

import moocore
import numpy as np

from hm3.objectives import Array

MARGIN = 0.1  # share of the front's range by which the reference point lies below its worst values


def most_hypervolume(values: Array, known: Array, count: int) -> list[int]:
    """Indices of points, chosen one by one: each adds the largest hypervolume to the known and those before it.

    Where none adds anything, the one farthest from all of these comes next.

    Args:
        values: (n, M) of the points, larger is better.
        known: (k, M) of what needs no choosing.
        count: How many at most.
    """
    low, high = _range(np.vstack([values, known]))
    values, known = (values - low) / (high - low), (known - low) / (high - low)
    chosen: list[int] = []
    while len(chosen) < min(count, len(values)):
        there = np.vstack([known, values[chosen]])
        rest = [row for row in range(len(values)) if row not in chosen]
        gains = np.array([_volume(np.vstack([there, values[row]])) for row in rest]) - _volume(there)
        if not gains.max() > 0 and len(there):
            gains = np.linalg.norm(values[rest][:, None] - there, axis=-1).min(axis=1)
        chosen.append(rest[int(gains.argmax())])
    return chosen


def _range(values: Array) -> tuple[Array, Array]:
    """The worst and the best of the non-dominated values, objective by objective; (M,) each."""
    front = values[moocore.is_nondominated(values, maximise=True)]
    low, high = front.min(axis=0), front.max(axis=0)
    return low, np.where(high > low, high, low + 1)


def _volume(values: Array) -> float:
    inside = values[(values > -MARGIN).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=-MARGIN, maximise=True)) if len(inside) else 0.0
