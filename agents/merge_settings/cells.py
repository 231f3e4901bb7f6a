"""The cells of what a front does not dominate, as botorch cuts them, in a fifth of the time."""

from __future__ import annotations

import numpy as np
import torch
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning

from hm3.objectives import Array


class Cells(FastNondominatedPartitioning):
    """botorch's decomposition for three objectives or more, without a Python loop over the cells."""

    def _partition_space(self) -> None:
        """Local lower bounds of the front; then what they bound is cut along them."""
        front, reference = self._neg_pareto_Y.numpy(), self.ref_point.numpy()
        above, _ = local_upper_bounds(front, -reference, np.full_like(reference, -np.inf))
        bounds, points = local_upper_bounds(-above, np.full_like(reference, np.inf), reference)
        self.hypercell_bounds = torch.from_numpy(_cells(bounds, points))


class ExpectedHypervolume(qLogNoisyExpectedHypervolumeImprovement):
    """botorch's acquisition with those cells."""

    def _set_cell_bounds(self, num_new_points: int) -> None:
        self.p_class = Cells  # type: ignore[assignment]  # stated as the slower one
        super()._set_cell_bounds(num_new_points)


def local_upper_bounds(front: Array, reference: Array, ideal: Array) -> tuple[Array, Array]:
    """The maximal points that no point of a front dominates (Lacour et al., 2017, algorithm 1; minimisation).

    Args:
        front: (n, M) points below `reference`.
        reference: (M,) that bounds the space.
        ideal: (M,) below all points.

    Returns:
        The bounds (u, M), and the points that define each: (u, M, M), row j the one that bounds coordinate j.
    """
    bounds, points = reference[None], np.tile(ideal, (1, len(ideal), 1))
    np.einsum("ujj->uj", points)[:] = reference
    for point in front:
        inside = (bounds > point).all(axis=1)
        split, theirs = bounds[inside], points[inside]
        parts = [_lowered(split, theirs, point, j) for j in range(len(point))]
        bounds = np.concatenate([bounds[~inside], *(part for part, _ in parts)])
        points = np.concatenate([points[~inside], *(part for _, part in parts)])
    return bounds, points


def _lowered(bounds: Array, points: Array, point: Array, j: int) -> tuple[Array, Array]:
    """The bounds with coordinate j lowered to the point's, where that is no lower than their other points'."""
    kept = point[j] >= np.delete(points[:, :, j], j, axis=1).max(axis=1)
    bounds, points = bounds[kept], points[kept]
    bounds[:, j], points[:, j] = point[j], point
    return bounds, points


def _cells(bounds: Array, points: Array) -> Array:
    """(2, c, M) lower and upper corners of disjoint cells (equation 2 there)."""
    lower, upper = np.empty_like(bounds), bounds.copy()
    lower[:, 0], upper[:, 0] = points[:, 0, 0], np.inf
    for j in range(1, bounds.shape[1]):
        lower[:, j] = points[:, :j, j].max(axis=1)
    cells = np.stack([lower, upper])
    return cells[:, (upper > lower).all(axis=1)]
