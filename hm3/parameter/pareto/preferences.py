"""The experts' weights that training draws, and those that it is validated on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hm3.checks import number
from hm3.lattice import das_dennis


@dataclass(frozen=True)
class Preferences:
    """Weights on the simplex: Dirichlet, and now and then a corner, which a Dirichlet of density never gives.

    Attributes:
        concentration: The Dirichlet's parameter for every expert; 1 is uniform.
        corners: Share of the draws in which one expert has all the weight.

    Raises:
        ConfigurationError: A value is out of range.
    """

    concentration: float = 1.0
    corners: float = 0.25

    def __post_init__(self) -> None:
        number("pareto_merging.concentration", self.concentration, 0, above=True)
        number("pareto_merging.corners", self.corners, 0, 1)

    def draw(self, experts: int, count: int, generator: np.random.Generator) -> Tensor:
        """`count` weights, (count, experts), float64."""
        inner = generator.dirichlet(np.full(experts, self.concentration), count)
        outer = np.eye(experts)[generator.integers(experts, size=count)]
        return torch.from_numpy(np.where(generator.random((count, 1)) < self.corners, outer, inner))


def validation_weights(experts: int, most: int) -> Tensor:
    """The finest even lattice of at most `most` weights, (n, experts), float64; the corners and, if need be, more."""
    divisions = 1
    while experts > 1 and len(das_dennis(experts, divisions + 1)) <= most:
        divisions += 1
    return torch.from_numpy(das_dennis(experts, divisions))
