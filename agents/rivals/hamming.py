"""Gaussian processes over genomes that count the places at which two differ. Importing this takes a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from agents.merge_settings.surrogate import Surrogate, fitted  # isort: skip - first: it keeps botorch's import quiet
from botorch.models.kernels.categorical import CategoricalKernel
from botorch.models.model_list_gp_regression import ModelListGP
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import ScaleKernel

from envs.space import Ints
from hm3.objectives import Array


def hamming_kernel(width: int) -> ScaleKernel:
    """``s exp(-mean_g [x_g != y_g] / l_g)`` over genomes of `width` genes; every length scale l_g and s are learnt.

    botorch's kernel for categories; it is the kernel of CoCaBO's and BOSS's kind that MixedSingleTaskGP takes.
    """
    return ScaleKernel(CategoricalKernel(ard_num_dims=width, lengthscale_constraint=GreaterThan(1e-2)))


@dataclass(frozen=True)
class HammingProcess:
    """A process for each of K objectives.

    Attributes:
        surrogate: Over standardised values.
        means: (K,) of the values.
        scales: (K,) their deviations.
    """

    surrogate: Surrogate
    means: Array
    scales: Array

    @classmethod
    def fit(cls, genomes: Ints, values: Array) -> HammingProcess:
        """Fit each by its marginal likelihood to genomes (N, G) and values (N, K)."""
        means, scales = values.mean(axis=0), values.std(axis=0)
        scales = np.where(scales > 0, scales, 1.0)
        inputs, outputs = torch.from_numpy(genomes).double(), torch.from_numpy((values - means) / scales)
        models = [fitted(inputs, column[:, None], hamming_kernel(inputs.shape[1])) for column in outputs.T]
        return cls(Surrogate(ModelListGP(*models), inputs), means, scales)

    @torch.no_grad()
    def predict(self, genomes: Ints) -> Array:
        """(n, K) expected values of genomes (n, G)."""
        posterior = self.surrogate.model.posterior(torch.from_numpy(genomes).double())
        predicted: Array = posterior.mean.numpy() * self.scales + self.means
        return predicted
