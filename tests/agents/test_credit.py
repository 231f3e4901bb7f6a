import numpy as np
import pytest

from agents import Spread, Terminal
from agents.advantages import advantages

UTILITIES, LENGTHS = np.array([6.0, -1.0]), np.array([3, 1])


def test_terminal_pays_at_the_end():
    assert Terminal()(UTILITIES, LENGTHS).tolist() == [[0, 0, 6], [-1, 0, 0]]


def test_spread_pays_in_equal_parts():
    assert Spread()(UTILITIES, LENGTHS).tolist() == [[2, 2, 2], [-1, 0, 0]]


@pytest.mark.parametrize("credit", [Terminal(), Spread()])
def test_credit_adds_up_to_the_utility(credit):
    assert credit(UTILITIES, LENGTHS).sum(axis=1) == pytest.approx(UTILITIES)


def test_with_lambda_one_advantages_are_returns_less_values():
    values = np.array([[1.0, 2, 3], [4, 9, 9]])
    result = advantages(Terminal()(UTILITIES, LENGTHS), values, LENGTHS, gamma=1.0, gae_lambda=1.0)
    assert result.tolist() == [[5, 4, 3], [-5, 0, 0]]


def test_with_lambda_zero_advantages_are_one_step_errors():
    values = np.array([[1.0, 2, 3], [4, 9, 9]])
    result = advantages(Terminal()(UTILITIES, LENGTHS), values, LENGTHS, gamma=0.5, gae_lambda=0.0)
    assert result.tolist() == [[0, -0.5, 3], [-5, 0, 0]]
