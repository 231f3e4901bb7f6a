"""MM-MO's Fisher screening: of some candidates those that the models know least about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hm3.objectives import Array


def most_uncertain(variances: Array, count: int) -> NDArray[np.intp]:
    """Indices of the smallest information, summed over the objectives: 1 / variance (arXiv 2407.00487).

    Args:
        variances: (n, M) posterior variances, above 0, in standardised units.
        count: How many at most.

    Returns:
        The most uncertain first; of equals the first one.
    """
    return np.argsort((1 / variances).sum(axis=1), kind="stable")[:count]
