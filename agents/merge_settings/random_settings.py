"""Random search over merge settings: the rival that learns nothing, and how MM-MO begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.merge_settings.fresh import uniform
from agents.merge_settings.proposer import Told
from hm3.checks import whole
from hm3.objectives import Array


class RandomSettings:
    """Uniform points of the unit cube: one sequence for each seed, in whatever batches it is asked for.

    Args:
        dimensions: Of the cube, D.
        tasks: Not needed.
        names: Not needed.
        seed: Of the sequence.

    Raises:
        ConfigurationError: No dimension, or a seed below 0.
    """

    initial = 1

    def __init__(self, *, dimensions: int, tasks: int = 0, names: Sequence[str] = (), seed: int = 0) -> None:
        self._dimensions = whole("proposer.dimensions", dimensions, 1)
        self._seed = whole("seed", seed, 0)

    def propose(self, told: Told, count: int) -> Array:
        """The next points of the sequence."""
        rng = np.random.default_rng(self._seed)
        rng.random((len(told.points), self._dimensions))  # those before
        return uniform(count, told.points, rng)
