"""Lattices of preferences: evenly spread weight vectors on the simplex."""

from __future__ import annotations

import itertools

import numpy as np

from hm3.errors import ConfigurationError
from hm3.objectives import Array


def das_dennis(objectives: int, divisions: int) -> Array:
    """All weight vectors whose entries are multiples of ``1 / divisions`` and sum to 1 (Das and Dennis, 1998).

    Args:
        objectives: Length of each vector, K.
        divisions: Steps from one corner to the next, H; 0 gives the centre alone.

    Returns:
        Shape (C(H + K - 1, K - 1), K), in lexicographic order.

    Raises:
        ConfigurationError: No objective, or negative divisions.
    """
    if objectives < 1 or divisions < 0:
        raise ConfigurationError(f"lattice: objectives >= 1 and divisions >= 0, got {objectives} and {divisions}")
    if divisions == 0:
        return np.full((1, objectives), 1 / objectives)
    # Stars and bars: K - 1 bars among H + K - 1 places; an entry is the number of stars between two bars.
    places = divisions + objectives - 1
    bars = list(itertools.combinations(range(places), objectives - 1))
    edges = np.array(bars, dtype=float).reshape(len(bars), objectives - 1)
    ends = np.ones((len(bars), 1))
    counts: Array = np.diff(np.hstack([-ends, edges, ends * places]), axis=1) - 1
    return counts / divisions
