"""K losses and a preference become one number, with its gradient."""

import math

import pytest
import torch

from hm3.errors import ConfigurationError
from hm3.parameter.pareto import Linear, SmoothTchebycheff


@pytest.mark.parametrize("smoothing", [0, -1, math.nan])
def test_a_smoothing_is_above_zero(smoothing):
    with pytest.raises(ConfigurationError, match=r"^smooth Tchebycheff: a smoothing above 0, got "):
        SmoothTchebycheff(smoothing)


def test_linear_by_hand():
    losses, weights = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.25, 0.75]])
    assert Linear().value(losses, weights).tolist() == [2.5]
    assert Linear().gradient(losses, weights).tolist() == [[0.25, 0.75]]


def test_smooth_tchebycheff_by_hand():
    """Equal weights of two count as 1 each: mu log(2 e^(1 / mu)) = 1 + mu log 2, and each loss has half of the pull."""
    losses, weights = torch.ones(1, 2, dtype=torch.float64), torch.full((1, 2), 0.5, dtype=torch.float64)
    assert SmoothTchebycheff(0.5).value(losses, weights).item() == pytest.approx(1 + 0.5 * math.log(2))
    assert SmoothTchebycheff(0.5).gradient(losses, weights).tolist() == [[0.5, 0.5]]
    assert SmoothTchebycheff(0.5, ideal=1.0).value(losses, weights).item() == pytest.approx(0.5 * math.log(2))


def test_smooth_tchebycheff_is_the_maximum_where_nothing_is_smoothed():
    losses, weights = torch.tensor([[0.2, 0.9, 0.5]]), torch.tensor([[0.5, 0.25, 0.25]])
    assert SmoothTchebycheff(1e-3).value(losses, weights).item() == pytest.approx(3 * 0.25 * 0.9)
    assert SmoothTchebycheff(1e-3).gradient(losses, weights)[0].tolist() == pytest.approx([0, 0.75, 0], abs=1e-6)


@pytest.mark.parametrize("scalarisation", [Linear(), SmoothTchebycheff(0.1), SmoothTchebycheff(0.7, ideal=-0.2)])
def test_gradients_are_those_of_autograd(scalarisation):
    draw = torch.Generator().manual_seed(0)
    losses = torch.rand(5, 4, generator=draw, dtype=torch.float64).requires_grad_()
    weights = torch.rand(5, 4, generator=draw, dtype=torch.float64)
    [theirs] = torch.autograd.grad(scalarisation.value(losses, weights).sum(), losses)
    torch.testing.assert_close(scalarisation.gradient(losses.detach(), weights), theirs)
