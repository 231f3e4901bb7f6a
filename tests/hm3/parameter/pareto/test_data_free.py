"""Distances to the experts and their gradients, without any dense matrix."""

import pytest
import torch

from hm3.parameter.pareto import DataFree, Linear, SmoothTchebycheff, Term
from hm3.parameter.pareto.factors import Factors
from tests.pareto_differences import Stated, random_differences


def random_factors(differences, rank=2, seed=1) -> Factors:
    draw = torch.Generator().manual_seed(seed)
    return Factors(
        {
            name: Term(*(0.3 * torch.randn(*shape, generator=draw) for shape in _shapes(differences.of(name), rank)))
            for name in differences.names
        }
    )


def _shapes(each, rank):
    experts, rows, columns = each.shape
    return (rows, rank), (rank, rank, experts), (columns, rank)


def dense_losses(differences, factors, weights):
    distances = [
        torch.stack(
            [(factors.term(name).at(row).dense() - differences.of(name)).square().sum((1, 2)) for row in weights]
        )
        for name in differences.names
    ]
    return sum(distances) / differences.totals


def test_a_term_by_hand():
    """A = (1, 2), B = (3, 1), G = (1, -1): at weights (3/4, 1/4) half of A B^T."""
    term = Term(torch.tensor([[1.0], [2.0]]), torch.tensor([[[1.0, -1.0]]]), torch.tensor([[3.0], [1.0]]))
    assert term.at(torch.tensor([0.75, 0.25])).dense().tolist() == [[1.5, 0.5], [3.0, 1.0]]
    assert term.at(torch.tensor([0.5, 0.5])).dense().tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_losses_by_hand():
    """The first expert adds 1 in one corner and the second 2 in the other; the term can only do the first."""
    differences = Stated({"m": torch.tensor([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 2.0]]])})
    unit = torch.tensor([[1.0], [0.0]])
    factors = Factors({"m": Term(unit, torch.tensor([[[1.0, 0.0]]]), unit)})
    losses = DataFree(differences).losses(factors, torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]))
    assert losses.tolist() == [[0.0, 1.25], [1.0, 1.0], [0.25, 1.0625]]
    assert losses.dtype == torch.float64


def test_losses_are_the_dense_distances():
    differences = random_differences((7, 5), (4, 9))
    factors = random_factors(differences)
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    expected = dense_losses(differences, factors, weights).detach().double()
    torch.testing.assert_close(DataFree(differences).losses(factors, weights), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("scalarisation", [Linear(), SmoothTchebycheff(0.3)])
def test_gradients_are_those_of_autograd_through_dense_matrices(scalarisation):
    differences = random_differences((7, 5), (4, 9))
    ours, theirs = random_factors(differences), random_factors(differences)
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.6, 0.1, 0.3]], dtype=torch.float64)
    losses = DataFree(differences).backward(ours, weights, scalarisation)
    dense = dense_losses(differences, theirs, weights)
    scalarisation.value(dense, weights).mean().backward()
    torch.testing.assert_close(losses, dense.detach().double(), atol=1e-6, rtol=1e-5)
    for leaf, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(leaf.grad, other.grad, atol=1e-6, rtol=1e-4)


def test_gradients_are_added_to_those_that_are_there():
    differences = random_differences((7, 5))
    factors, weights, objective = random_factors(differences), torch.full((1, 3), 1 / 3), DataFree(differences)
    objective.backward(factors, weights, Linear())
    once = [leaf.grad.clone() for leaf in factors.parameters()]
    objective.backward(factors, weights, Linear())
    for leaf, first in zip(factors.parameters(), once, strict=True):
        torch.testing.assert_close(leaf.grad, 2 * first)
