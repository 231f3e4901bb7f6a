"""What a model of the objectives can learn from."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.merge_settings.proposer import Told
from hm3.objectives import Array

_log = logging.getLogger(__name__)


def informative(told: Told) -> Told:
    """The rows without NaN, of the objectives whose values are not all the same."""
    points, values = _answered(told)
    return Told(points, values[:, ~_constant(values)])


def report_constant(names: Sequence[str], told: Told) -> None:
    """One line that names the objectives whose values are all the same.

    Args:
        names: The objectives; what has no name goes by its number.
        told: All that was judged, of which at least one gave values.
    """
    _, values = _answered(told)
    named = [*names, *(f"objective {row + 1}" for row in range(len(names), values.shape[1]))]
    same = ", ".join(f"{named[row]} ({values[0, row]:g})" for row in np.flatnonzero(_constant(values)))
    if same:
        _log.warning("%d merges all have the same %s: it does not steer the search", len(values), same)


def _answered(told: Told) -> tuple[Array, Array]:
    valid = np.isfinite(told.values).all(axis=1)
    return told.points[valid], told.values[valid]


def _constant(values: Array) -> NDArray[np.bool_]:
    """(M,) whether values differ by no more than rounding does; without any row, all of them."""
    same: NDArray[np.bool_] = np.logical_and.reduce(np.isclose(values, values[:1], rtol=1e-9, atol=1e-12))
    return same
