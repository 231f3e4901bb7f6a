"""Which stacks would add most to a front, if they scored what is expected of them."""

from __future__ import annotations

import moocore
import numpy as np

from envs.space import Bools
from hm3.archive import below_nadir, hypervolume
from hm3.objectives import Array


def gains(values: Array, front: Array, reference: Array) -> Array:
    """(M,) the hypervolume that each of M values (M, K) alone would add to a front (F, K)."""
    covered: Bools = np.all(front[None] >= values[:, None], axis=2)
    hopeful = np.all(values > reference, axis=1) & ~np.any(covered, axis=1)
    before, result = hypervolume(front, reference), np.zeros(len(values))
    for row in np.flatnonzero(hopeful):
        result[row] = hypervolume(np.vstack([front, values[row]]), reference) - before
    return result


def most_promising(values: Array, front: Array, count: int) -> list[int]:
    """At most `count` numbers of M candidates: always the one that would add most to what the ones before it left.

    What is chosen is believed to score what is expected ("kriging believer", Ginsbourger et al., 2010). The reference
    point lies below the nadir of the front; a value is chosen even if nothing is gained by it, the first first.

    Args:
        values: (M, K) expected, normalised.
        front: (F, K) known, normalised.
        count: How many.
    """
    reference, left = below_nadir(front), np.arange(len(values))
    chosen: list[int] = []
    while len(left) and len(chosen) < count:
        best = int(left[gains(values[left], front, reference).argmax()])
        chosen.append(best)
        left = left[left != best]
        front = non_dominated(np.vstack([front, values[best]]))
    return chosen


def non_dominated(values: Array) -> Array:
    """The values (F, K) that no other of them dominates."""
    kept: Array = values[moocore.is_nondominated(values, maximise=True)]
    return kept


def favourites(utilities: Array) -> list[int]:
    """For each preference the candidate of the largest utility (P, M), each once."""
    chosen: list[int] = []
    for row in utilities:
        left = row.copy()
        left[chosen] = -np.inf
        if len(chosen) < len(row):
            chosen.append(int(left.argmax()))
    return chosen
