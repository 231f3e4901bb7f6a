"""The front of functions that cost nothing to evaluate."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from math import comb

import moocore

from agents.merge_settings.population import begun, tell
from hm3.lattice import das_dennis
from hm3.objectives import Array


def surrogate_front(
    predict: Callable[[Array], Array], start: Array, objectives: int, *, generations: int, seed: int
) -> Array:
    """Points of the unit cube that no other found point is better than, by pymoo's NSGA-III (Deb and Jain, 2014).

    Args:
        predict: (n, D) -> (n, M) values, larger is better, of about the same range in each objective.
        start: (P, D) first generation; all others are as large.
        objectives: M.
        generations: With the first one.
        seed: Of pymoo's generator.

    Returns:
        (n, D), 1 <= n <= P.
    """
    from pymoo.algorithms.moo.nsga3 import NSGA3

    directions = reference_directions(objectives, len(start))
    algorithm = begun(NSGA3(directions, len(start), start, seed=seed), start.shape[1], objectives)
    with warnings.catch_warnings():  # pymoo changes the filter of the whole process
        warnings.simplefilter("ignore")
        for _ in range(generations):
            asked = algorithm.ask()
            if asked is None:  # no offspring that is new
                break
            tell(algorithm, asked, predict(asked.get("X")))
    found = algorithm.pop.get("X")
    front: Array = found[moocore.is_nondominated(predict(found), maximise=True)]
    return front


def reference_directions(objectives: int, population: int) -> Array:
    """The finest Das-Dennis lattice that has no more directions than the population has members.

    Args:
        objectives: M.
        population: P >= M.
    """
    if objectives == 1:
        return das_dennis(1, 1)
    finer = itertools.count(2)
    too_fine = next(each for each in finer if comb(each + objectives - 1, objectives - 1) > population)
    return das_dennis(objectives, too_fine - 1)
