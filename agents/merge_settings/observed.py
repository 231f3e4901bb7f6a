"""What was told, in the units of the models: z-scores, without what cannot be modelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.merge_settings.proposer import Told
from hm3.objectives import Array


@dataclass(frozen=True)
class Observed:
    """Points and standardised values.

    Attributes:
        points: (N, D) of the unit cube.
        values: (N, M') of mean 0 and deviation 1, larger is better; the objectives that are not constant.
        tasks: The first so many of them are task scores.
        constant: (M,) which of the told objectives are constant.
        failed: Rows that gave no scores.
    """

    points: Array
    values: Array
    tasks: int
    constant: NDArray[np.bool_]
    failed: int


def observed(told: Told, tasks: int) -> Observed:
    """Standardise what was told.

    A merge that gave no score counts as the worst one seen in that objective. Were it left out, the models would know
    little about its neighbourhood, and screening for uncertainty would send the search there again and again.

    Args:
        told: All that was judged.
        tasks: The first so many of the M objectives are task scores.

    Returns:
        No objectives at all if fewer than two rows are whole, or if all are constant.
    """
    finite = np.isfinite(told.values)
    whole = told.values[finite.all(axis=1)]
    failed = len(told.values) - len(whole)
    if len(whole) < 2:
        return Observed(told.points, told.values[:, :0], 0, np.zeros(told.values.shape[1], dtype=bool), failed)
    constant = np.ptp(whole, axis=0) <= 1e-12 * np.abs(whole).max(axis=0)
    worst = np.where(finite, told.values, np.inf).min(axis=0)
    values = np.where(finite, told.values, worst)[:, ~constant]
    scores = (values - values.mean(axis=0)) / values.std(axis=0)
    scores = scores.round(10)  # other units of a score round otherwise, and an ascent makes much of little
    return Observed(told.points, scores, int((~constant[:tasks]).sum()), constant, failed)
