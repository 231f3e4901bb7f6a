"""A grid of linear merges: what somebody would try who has no search."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from agents.merge_settings.fresh import fresh
from agents.merge_settings.proposer import Told
from hm3.checks import whole
from hm3.lattice import das_dennis
from hm3.objectives import Array

APART = 1e-9  # lattices share points


class LinearGrid:
    """The coarsest Das-Dennis lattice of weights that has enough points; finer ones once it is used up.

    It is for a cube whose dimensions are the weights of K >= 2 experts.

    Args:
        dimensions: Experts, K.
        tasks: Not needed.
        names: Not needed.
        seed: Not needed.
        points: That the first lattice has at least.

    Raises:
        ConfigurationError: Less than two experts, or no point.
    """

    def __init__(
        self, *, dimensions: int, tasks: int = 0, names: Sequence[str] = (), seed: int = 0, points: int = 30
    ) -> None:
        self._experts = whole("linear grid: experts", dimensions, 2)
        self._points = whole("parameter.proposer.points", points, 1)

    @property
    def initial(self) -> int:
        """One point: nothing is learnt anyway."""
        return 1

    def propose(self, told: Told, count: int) -> Array:
        """The next points of the lattice."""
        least = self._points
        while True:
            lattice = spread_lattice(self._experts, least)
            new = fresh(lattice, told.points, APART)
            if len(new):
                return new[:count]
            least = len(lattice) + 1


def spread_lattice(experts: int, points: int) -> Array:
    """The coarsest lattice of the simplex that has enough points, ordered so that every prefix is well spread.

    The corners come first, then what is next to the centre, then always the point farthest from those before it.

    Args:
        experts: Length of a point, K >= 2.
        points: How many at least.

    Returns:
        Shape (C(H + K - 1, K - 1), K).
    """
    divisions = next(each for each in itertools.count(1) if len(das_dennis(experts, each)) >= points)
    lattice = das_dennis(experts, divisions)
    corner = lattice.max(axis=1) == 1
    inner = lattice[~corner]
    middle = np.argsort(np.linalg.norm(inner - 1 / experts, axis=1).round(9), kind="stable")[:1].tolist()
    return np.vstack([np.eye(experts), inner[_farthest_first(inner, middle, np.eye(experts))]])


def _farthest_first(points: Array, first: list[int], before: Array) -> list[int]:
    """Indices of all points: the first ones, then each as far as can be from those before it."""
    order = list(first)
    nearest = np.linalg.norm(points[:, None] - np.vstack([before, points[order]]), axis=-1).min(axis=1)
    while len(order) < len(points):
        order.append(int(np.round(nearest, 9).argmax()))  # rounded: of equals the first
        nearest = np.minimum(nearest, np.linalg.norm(points - points[order[-1]], axis=1))
    return order
