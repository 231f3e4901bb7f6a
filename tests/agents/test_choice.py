import math

import pytest
import torch

from agents.choice import ILLEGAL, choice


def test_two_legal_actions_of_equal_weight_are_a_coin():
    log_probs, entropies = choice(torch.tensor([[0.0, ILLEGAL, 0.0]]), torch.tensor([2]))
    assert log_probs.item() == pytest.approx(math.log(1 / 2))
    assert entropies.item() == pytest.approx(math.log(2))


def test_what_is_forbidden_is_never_likely_and_moves_nothing():
    logits = torch.tensor([[1.0, ILLEGAL, 0.5, -2.0]], requires_grad=True)
    log_probs, entropies = choice(logits, torch.tensor([0]))
    (log_probs + entropies).sum().backward()
    assert logits.grad[0, 1] == 0
    assert (logits.grad[0, [0, 2, 3]] != 0).all()
    assert choice(logits, torch.tensor([1]))[0].item() < ILLEGAL / 2


def test_the_gradient_is_that_of_the_formula():
    logits = torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    actions = torch.tensor([0, 6, 3, 3, 1])
    assert torch.autograd.gradcheck(lambda values: choice(values, actions), (logits,))
