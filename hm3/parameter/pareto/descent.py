"""The state of a training: factors, Adam, the generator of preferences, the best so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.objective import PreferenceLosses
from hm3.parameter.pareto.record import TrainingRecord
from hm3.parameter.pareto.scalarisation import Scalarisation
from hm3.parameter.pareto.tensor import Term


@dataclass
class Descent:
    """A training between two steps.

    Attributes:
        factors: What is trained.
        sizes: For each matrix the root mean square of its factors at the start, which its learning rate is a share of.
        adam: The optimiser, with a group for each matrix.
        generator: Of the preferences.
        best: The terms of the best validation so far.
        record: What has been so far.
    """

    factors: Factors
    sizes: tuple[float, ...]
    adam: torch.optim.Adam
    generator: np.random.Generator
    best: dict[str, Term]
    record: TrainingRecord

    @classmethod
    def begin(cls, factors: Factors, seed: int) -> Descent:
        """Before the first step."""
        sizes = tuple(float(term.left.detach().square().mean().sqrt()) for term in factors.terms().values())
        generator = np.random.default_rng(seed)
        return cls(factors, sizes, adam_of(factors), generator, factors.frozen(), TrainingRecord())

    @property
    def step(self) -> int:
        """Steps taken."""
        return len(self.record.values)

    def advance(
        self, objective: PreferenceLosses, weights: Tensor, scalarisation: Scalarisation, rate: float, steps: int
    ) -> float:
        """Take a step; what the scalarised losses were on average before it.

        Args:
            objective: What is trained for.
            weights: (n, K) of this step.
            scalarisation: Makes one number of K losses.
            rate: Learning rate at the first step, as a share of the sizes.
            steps: When the rate becomes 0.
        """
        self._set_rates(rate * (1 + math.cos(math.pi * self.step / steps)) / 2)
        self.adam.zero_grad()
        losses = objective.backward(self.factors, weights, scalarisation)
        self.adam.step()
        value = float(scalarisation.value(losses, weights.to(losses)).mean())
        self.record = replace(self.record, values=(*self.record.values, value))
        return value

    def judge(self, value: float) -> None:
        """Take note of what a validation gave, and keep the terms if they are the best so far."""
        if value < self.record.best[1]:
            self.best = self.factors.frozen()
        self.record = replace(self.record, validations=(*self.record.validations, (self.step, value)))

    def _set_rates(self, rate: float) -> None:
        for group, size in zip(self.adam.param_groups, self.sizes, strict=True):
            group["lr"] = rate * size


def adam_of(factors: Factors) -> torch.optim.Adam:
    """Adam with a group for each matrix, at torch's defaults but the learning rate, which every step sets."""
    groups: Sequence[dict[str, list[Tensor]]] = [
        {"params": [term.left, term.core, term.right]} for term in factors.terms().values()
    ]
    return torch.optim.Adam(groups)
