"""Which stacks would add most to a front, if a world that is possible were the real one."""

from __future__ import annotations

from collections.abc import Iterable

import moocore
import numpy as np

from hm3.objectives import Array


def thompson(worlds: Array, front: Array) -> list[int]:
    """For each world the candidate that adds the largest hypervolume in it, each once; reference point 0.

    Where none adds any, the world asks for the one with the largest sum.

    Args:
        worlds: (q, M, K) values of M candidates in q worlds, normalised.
        front: (F, K) what is known, normalised.

    Returns:
        At most q indices.
    """
    chosen: list[int] = []
    for world in worlds:
        free = np.setdiff1d(np.arange(len(world)), chosen)
        if len(free):
            chosen.append(int(free[_best(world[free], front)]))
    return chosen


def favourites(utilities: Array) -> list[int]:
    """For each world the candidate of the largest utility (q, M) in it, each once."""
    chosen: list[int] = []
    for row in utilities:
        left = row.copy()
        left[chosen] = -np.inf
        if len(chosen) < len(row):
            chosen.append(int(left.argmax()))
    return chosen


def _best(values: Array, front: Array) -> int:
    """Only what no other candidate and nothing known dominates can add anything."""
    together = np.vstack([front, np.maximum(values, 0.0)])
    hopeful = np.flatnonzero(moocore.is_nondominated(together, maximise=True)[len(front) :])
    gains = list(_gains(values[hopeful], front))
    if not gains or max(gains) <= 0:
        return int(values.sum(axis=1).argmax())
    return int(hopeful[int(np.argmax(gains))])


def _gains(values: Array, front: Array) -> Iterable[float]:
    before = volume(front)
    return (volume(np.vstack([front, each])) - before for each in values)


def volume(values: Array) -> float:
    """Hypervolume of normalised values (N, K) above 0."""
    inside = values[(values > 0).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=0.0, maximise=True)) if len(inside) else 0.0
