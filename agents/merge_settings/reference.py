"""The reference point of MM-MO's hypervolume."""

from __future__ import annotations

from hm3.objectives import Array

MARGIN = 0.1


def reference_point(values: Array) -> Array:
    """Below the worst of the initial set by a tenth of its range, objective by objective.

    MM-MO (arXiv 2407.00487) moves the worst raw value outwards by a tenth of itself, which means nothing for z-scores
    or for values of another origin, and compares the result with z-scores. A tenth of the range moves with every change
    of units, so the point stays where it is while the scores are standardised anew for every batch.

    Args:
        values: (n, M) of the initial set, larger is better, in the units of the models.

    Returns:
        (M,).
    """
    worst, best = values.min(axis=0), values.max(axis=0)
    result: Array = worst - MARGIN * (best - worst)
    return result
