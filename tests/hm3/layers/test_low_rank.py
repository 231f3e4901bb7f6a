"""Low-rank terms beside matrices: the same products as with the terms in them."""

import pytest
import torch

from hm3.layers.conditioned import ConditionedTerm
from hm3.layers.low_rank import LowRank, linear


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def term(rows, columns, rank=2, seed=0):
    return LowRank(numbers(rows, rank, seed=seed), numbers(rank, columns, seed=seed + 1))


def test_a_product_that_a_person_can_check():
    """W = I, and a term that adds the first input to the second output."""
    added = LowRank(torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0, 0.0]]))
    outputs = linear(torch.tensor([[3.0, 5.0]]), torch.eye(2), torch.tensor([10.0, 0.0]), added)
    assert outputs.tolist() == [[13.0, 8.0]]
    assert added.dense().tolist() == [[0.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize("inputs", [numbers(3, 4), numbers(2, 3, 4), numbers(3, 4, 2).transpose(1, 2)[:, :2]])
def test_the_product_is_that_with_the_sum(inputs):
    weight, bias, added = numbers(5, 4, seed=5), numbers(5, seed=6), term(5, 4)
    before = inputs.clone()
    torch.testing.assert_close(linear(inputs, weight, bias, added), inputs @ (weight + added.dense()).T + bias)
    assert torch.equal(inputs, before)


def test_without_a_term_it_is_torch_s_own_product():
    inputs, weight = numbers(2, 3, 4), numbers(5, 4, seed=5)
    assert torch.equal(linear(inputs, weight, None, None), torch.nn.functional.linear(inputs, weight))


def conditioned(rows, columns, rank=2, seed=0):
    shapes = ((rows, rank), (rank, rank, 3), (rank, columns))
    return ConditionedTerm(*(numbers(*shape, seed=seed + i) for i, shape in enumerate(shapes)))


WEIGHTS = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def test_a_conditioned_term_that_a_person_can_check():
    """Two experts; the first adds 3 at the top left, the second 5."""
    added = ConditionedTerm(torch.tensor([[1.0], [0.0]]), torch.tensor([[[3.0, 5.0]]]), torch.tensor([[1.0, 0.0]]))
    assert added.at(torch.tensor([1.0, 0.0])).dense().tolist() == [[3.0, 0.0], [0.0, 0.0]]
    assert added.at(torch.tensor([0.5, 0.5])).dense().tolist() == [[4.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("missing", [(), (0,), (1,), (2,), (0, 2)])
def test_terms_of_matrices_below_each_other_are_one_term(missing):
    rows = (3, 1, 2)
    parts = [None if i in missing else conditioned(n, 4, rank=i + 1, seed=i) for i, n in enumerate(rows)]
    dense = [
        torch.zeros(n, 4) if part is None else part.at(WEIGHTS).dense() for part, n in zip(parts, rows, strict=True)
    ]
    together = ConditionedTerm.below(parts, rows)
    torch.testing.assert_close(together.at(WEIGHTS).dense(), torch.cat(dense).double())
    assert len(together.right) == sum(len(part.right) for part in parts if part is not None)


def test_where_no_matrix_has_a_term_there_is_none_and_a_single_one_is_not_copied():
    one = conditioned(3, 4)
    assert ConditionedTerm.below([None, None], (3, 3)) is None
    assert ConditionedTerm.below([None], (3,)) is None
    assert ConditionedTerm.below([one], (3,)) is one


def test_weights_are_mixed_in_float32_for_inputs_of_any_type():
    one = conditioned(3, 4).to(torch.device("cpu"), torch.bfloat16)
    assert (one.left.dtype, one.core.dtype, one.right.dtype) == (torch.bfloat16, torch.float32, torch.bfloat16)
    assert {part.dtype for part in one.at(WEIGHTS.float())} == {torch.bfloat16}
