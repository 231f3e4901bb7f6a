"""Where MM-MO expects the most hypervolume. Importing this takes a second: do it when it is needed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from agents.merge_settings.surrogate import Surrogate  # isort: skip - first: it keeps botorch's import quiet
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective import logei
from botorch.optim.optimize import optimize_acqf
from botorch.sampling.normal import SobolQMCNormalSampler

from agents.merge_settings.cells import ExpectedHypervolume
from hm3.objectives import Array

# botorch would compile a faster kernel on first use. It needs a compiler, leaves a lock behind when it is killed, at
# which later processes wait for ever, and rounds differently, so that a search that goes on would go another way.
logei._load_attempted = True


@dataclass(frozen=True)
class Acquisition:
    """Expected gain in hypervolume under noise (qLogNEHVI; Daulton et al., 2021, and Ament et al., 2023).

    Attributes:
        samples: Quasi-random samples of the posterior, S.
        restarts: Ascents.
        raw_samples: Points of which the ascents begin at good ones.
        steps: Of an ascent, at most.
    """

    samples: int
    restarts: int
    raw_samples: int
    steps: int

    def best(self, surrogate: Surrogate, reference: Array, count: int) -> Array:
        """The points (count, D) that promise most, one after the other, each given those before it.

        Torch's global generator draws the samples: seed it.

        Args:
            surrogate: Of the objectives.
            reference: (M,) point in their units, below which nothing counts.
            count: How many.
        """
        dimensions = surrogate.points.shape[1]
        found, _ = optimize_acqf(
            self.function(surrogate, torch.from_numpy(reference)),
            bounds=torch.tensor([[0.0], [1.0]], dtype=torch.float64).expand(2, dimensions),
            q=count,
            num_restarts=self.restarts,
            raw_samples=self.raw_samples,
            options={"maxiter": self.steps},
            sequential=True,
        )
        result: Array = found.numpy()
        return result

    def function(self, surrogate: Surrogate, reference: torch.Tensor) -> AcquisitionFunction:
        """The gain of points (b, q, D) as botorch computes it; of a single objective the volume is the improvement."""
        sampler = SobolQMCNormalSampler(torch.Size([self.samples]))
        if len(reference) == 1:
            return qLogNoisyExpectedImprovement(surrogate.model, surrogate.points, sampler=sampler, prune_baseline=True)
        points = surrogate.points
        return ExpectedHypervolume(surrogate.model, reference, points, sampler=sampler, prune_baseline=True)
