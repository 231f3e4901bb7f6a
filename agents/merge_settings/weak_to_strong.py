"""MM-MO's weak-to-strong step: candidates are crossed with mutants of what has proved good."""

from __future__ import annotations

import numpy as np

from hm3.objectives import Array


def elite(points: Array, scores: Array, size: int) -> Array:
    """The points with the largest sum of task scores.

    Args:
        points: (N, D).
        scores: (N, T) of the tasks, standardised so that no scale counts more than another.
        size: How many.

    Returns:
        (min(size, N), D), best first; of equals the one that was judged first.
    """
    return points[np.argsort(-scores.sum(axis=1), kind="stable")[:size]]


def weak_to_strong(points: Array, strong: Array, rng: np.random.Generator, *, factor: float, crossover: float) -> Array:
    """Cross each point with a mutant of the strong ones (arXiv 2407.00487; differential evolution's rand/1/bin).

    Args:
        points: (n, D) of the unit cube.
        strong: (E, D) of the unit cube; with fewer than three the points stay as they are.
        rng: The generator.
        factor: Of the difference in a mutant ``a + factor (b - c)``, clipped to the cube.
        crossover: Share of coordinates that come from the mutant; one of them always does.

    Returns:
        (n, D).
    """
    if len(strong) < 3:
        return points
    a, b, c = np.array([strong[rng.permutation(len(strong))[:3]] for _ in points]).swapaxes(0, 1)
    mutants = np.clip(a + factor * (b - c), 0, 1)
    taken = rng.random(points.shape) < crossover
    taken[np.arange(len(points)), rng.integers(points.shape[1], size=len(points))] = True
    result: Array = np.where(taken, mutants, points)
    return result
