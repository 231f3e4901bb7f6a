"""What is trained for: K losses of the models that the factors make, one for each expert."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.scalarisation import Scalarisation


class PreferenceLosses(Protocol):
    """K losses as functions of the factors and of the experts' weights.

    A loss is scaled so that 1 is the loss of the base (factors that add nothing) for every k; smaller is better.
    What an objective draws (batches of text) it draws from a generator of its own.

    Attributes:
        experts: K.
        state: What its next draws depend on, a JSON value, so that training resumes where it was; None where nothing
            is drawn. Setting it brings them back.
    """

    experts: int
    state: Any

    def losses(self, factors: Factors, weights: Tensor) -> Tensor:
        """The losses (n, K) at weights (n, K), float64; no gradient is touched. Validation uses it.

        The same factors and weights give the same losses every time.
        """
        ...

    def backward(self, factors: Factors, weights: Tensor, scalarisation: Scalarisation) -> Tensor:
        """Add the gradient of the scalarised losses' mean over the n rows to the factors' `.grad`.

        Args:
            factors: What is trained.
            weights: (n, K), each row on the simplex.
            scalarisation: Makes one number of a row's losses.

        Returns:
            The losses (n, K) that the gradient was taken at, float64, detached.
        """
        ...
