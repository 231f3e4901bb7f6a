"""One step of many episodes, as a policy chose it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.episodes import Observation
from envs.space import Bools, Ints
from hm3.objectives import Array


class Acts(NamedTuple):
    """What a policy chose to do in M states.

    Attributes:
        observations: What was seen.
        masks: (M, actions) what was legal.
        actions: (M,) what is to be done.
        meant: (M, ...) what the policy's distribution drew: the actions, or what was then turned into them.
        log_probs: (M,) of what was meant.
        values: (M,) of the states.
    """

    observations: Observation
    masks: Bools
    actions: Ints
    meant: NDArray[Any]
    log_probs: Array
    values: Array


def joined(parts: Sequence[Acts]) -> Acts:
    """All of them, in order."""
    seen, *rest = zip(*parts, strict=True)
    observations = {key: np.concatenate([part[key] for part in seen]) for key in seen[0]}
    return Acts(observations, *(np.concatenate(column) for column in rest))
