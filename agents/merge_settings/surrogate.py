"""MM-MO's models: a Gaussian process for every objective. Importing this takes a second: do it when it is needed."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import torch

from hm3.objectives import Array

with warnings.catch_warnings():  # linear_operator compiles by what torch has deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    from botorch.exceptions.errors import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.model_list_gp_regression import ModelListGP
    from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
    from gpytorch.kernels import Kernel
    from gpytorch.mlls import ExactMarginalLogLikelihood

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surrogate:
    """Independent Gaussian processes.

    Attributes:
        model: A process for each of M objectives.
        points: (N, D) that they were fitted to.
    """

    model: ModelListGP
    points: torch.Tensor

    @classmethod
    def fit(cls, points: Array, values: Array) -> Surrogate:
        """Fit each process by its marginal likelihood.

        Matérn 5/2 with a length scale for each coordinate; priors of Hvarfner et al. (2024), botorch's default. Where
        botorch finds no optimum in five attempts, the modes of the priors stay.

        Args:
            points: (N, D) of the unit cube.
            values: (N, M) of mean 0 and deviation 1.
        """
        inputs, outputs = torch.from_numpy(points), torch.from_numpy(values)
        dimensions = inputs.shape[1]
        kernels = (get_covar_module_with_dim_scaled_prior(dimensions, use_rbf_kernel=False) for _ in outputs.T)
        models = (fitted(inputs, *each) for each in zip(outputs.T[:, :, None], kernels, strict=True))
        return cls(ModelListGP(*models), inputs)

    @torch.no_grad()
    def variance(self, points: Array) -> Array:
        """Posterior variances (n, M), without the noise of an observation."""
        result: Array = self.model.posterior(torch.from_numpy(points)).variance.numpy()
        return result


def fitted(points: torch.Tensor, values: torch.Tensor, kernel: Kernel) -> SingleTaskGP:
    """A process fitted by its marginal likelihood, or as it began where botorch finds no optimum.

    Args:
        points: (N, D)
        values: (N, 1) of mean 0 and deviation 1.
        kernel: Of the process, with its priors.
    """
    process = SingleTaskGP(points, values, covar_module=kernel, outcome_transform=None)
    try:
        fit_gpytorch_mll(ExactMarginalLogLikelihood(process.likelihood, process))
    except ModelFittingError:
        _log.debug("a process keeps the modes of its priors")
    return process.eval()
