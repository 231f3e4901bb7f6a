"""Means and their 95 % intervals."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import t

from scripts.benchmark.report import rounded

Figure = list[float]  # an estimate, and the ends of its 95 % interval
RESAMPLES = 2000


def interval(values: Sequence[float]) -> Figure:
    """Mean and 95 % interval by Student's t; of a single value the value itself."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return [rounded(mean)] * 3
    half = float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / len(values) ** 0.5
    return [rounded(mean), rounded(mean - half), rounded(mean + half)]


def resampled(count: int, estimate: Callable[[Sequence[int]], float]) -> Figure:
    """An estimate over `count` seeds with the percentiles of its bootstrap; the generator is always the same."""
    rng = np.random.default_rng(0)
    draws = [estimate(rng.integers(count, size=count).tolist()) for _ in range(RESAMPLES)]
    low, high = np.quantile(draws, (0.025, 0.975), method="nearest")
    return [rounded(estimate(range(count))), rounded(float(low)), rounded(float(high))]


def shown(figure: Figure, digits: int = 4) -> str:
    """An estimate and its interval, for a table."""
    mean, low, high = (f"{value:,.{digits}f}" for value in figure)
    return mean if low == high else f"{mean} [{low}, {high}]"
