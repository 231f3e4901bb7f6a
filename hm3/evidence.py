"""How sure a result is: a paired bootstrap over test items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hm3.archive import hypervolume
from hm3.objectives import Array, Normaliser


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


ItemScores = Sequence[NDArray[np.float64]]  # for each objective: (models, items)


def hypervolume_ratio(
    ours: ItemScores, others: ItemScores, normaliser: Normaliser, *, resamples: int = 1000, seed: int = 0
) -> Interval:
    """Hypervolume of our models over that of others, with an interval from a paired bootstrap.

    Every resample draws the items of each task once, for all models alike; scores are means over items.

    Args:
        ours: Item scores of our models.
        others: Item scores of the others, on the same items.
        normaliser: From scores to units; it does not change with the resample.
        resamples: Number of bootstrap resamples.
        seed: Of the resamples.

    Returns:
        Ratio on all items, 2.5 % and 97.5 % quantiles of the resamples. A denominator of 0 gives infinity.
    """
    rng = np.random.default_rng(seed)
    ratios = sorted(
        _ratio(ours, others, normaliser, [rng.multinomial(n, [1 / n] * n) / n for n in _sizes(ours)])
        for _ in range(resamples)
    )
    low, high = ratios[math.floor(0.025 * (resamples - 1))], ratios[math.ceil(0.975 * (resamples - 1))]
    return Interval(_ratio(ours, others, normaliser, [np.full(n, 1 / n) for n in _sizes(ours)]), low, high)


def _sizes(scores: ItemScores) -> list[int]:
    return [objective.shape[1] for objective in scores]


def _ratio(ours: ItemScores, others: ItemScores, normaliser: Normaliser, weights: Sequence[Array]) -> float:
    above, below = (hypervolume(normaliser(_means(scores, weights))) for scores in (ours, others))
    return above / below if below > 0 else float("inf")


def _means(scores: ItemScores, weights: Sequence[Array]) -> Array:
    return np.stack([objective @ weight for objective, weight in zip(scores, weights, strict=True)], axis=1)
