"""Training starts at the truncated Tucker form of the experts' differences."""

import numpy as np
import pytest
import torch

from hm3.errors import ConfigurationError
from hm3.parameter.pareto import initial, initial_terms
from tests.pareto_differences import Stated, random_differences


def at(terms, name, *weights):
    return terms[name].at(torch.tensor(weights)).dense()


def test_a_rank_is_at_least_one():
    with pytest.raises(ConfigurationError, match=r"^pareto_merging.rank: an integer of at least 1, got 0$"):
        initial_terms(random_differences((4, 3)), 0)


def test_for_one_expert_it_is_the_truncated_svd():
    differences = random_differences((8, 6), (5, 9), experts=1)
    terms = initial_terms(differences, 2)
    for name in differences.names:
        left, values, right = np.linalg.svd(differences.of(name)[0].numpy())
        best = (left[:, :2] * values[:2]) @ right[:2]
        np.testing.assert_allclose(at(terms, name, 1.0).numpy(), best, atol=1e-6)


def test_every_expert_is_met_once_the_rank_is_the_sum_of_theirs():
    differences = random_differences((12, 9), rank=2)
    met, missed = initial_terms(differences, 6), initial_terms(differences, 5)
    corners = torch.eye(3).tolist()
    for corner, difference in zip(corners, differences.of("m0"), strict=True):
        torch.testing.assert_close(at(met, "m0", *corner), difference, atol=1e-6, rtol=1e-5)
    assert max((at(missed, "m0", *c) - d).norm() for c, d in zip(corners, differences.of("m0"), strict=True)) > 0.01


def test_shapes_are_capped_by_the_matrix():
    terms = initial_terms(random_differences((8, 3), (8, 6)), 5)
    assert [tuple(part.shape) for part in (terms["m0"].left, terms["m0"].core, terms["m0"].right)] == [
        (8, 3),
        (3, 3, 3),
        (3, 3),
    ]
    assert terms["m1"].core.shape == (5, 5, 3)


@pytest.mark.parametrize("shape", [(6, 12), (12, 6)])
def test_one_side_may_be_too_long_for_an_exact_decomposition(shape, monkeypatch):
    """Of two stacked differences one way round is (12, 12), the other (6, 24)."""
    monkeypatch.setattr("hm3.parameter.pareto.initial.EXACT", 8)
    differences = random_differences(shape, experts=2, rank=1)
    terms = initial_terms(differences, 2)
    for corner, difference in zip(torch.eye(2).tolist(), differences.of("m0"), strict=True):
        torch.testing.assert_close(at(terms, "m0", *corner), difference, atol=1e-5, rtol=1e-4)


def test_factors_have_one_size():
    term = initial_terms(random_differences((30, 20)), 4)["m0"]
    sizes = [part.square().mean().sqrt().item() for part in (term.left, term.core, term.right)]
    assert sizes == pytest.approx([sizes[0]] * 3, rel=1e-4)


def test_a_distant_expert_does_not_take_the_rank_of_the_other():
    """One direction for two experts of equal directions: each counts as much, however far it is."""
    near, far = torch.zeros(4, 4), torch.zeros(4, 4)
    near[0, 0], far[1, 1], far[2, 2] = 1.0, 100.0, 100.0
    term = initial_terms(Stated({"m": torch.stack([near, far])}), 1)["m"]
    torch.testing.assert_close(term.at(torch.tensor([1.0, 0.0])).dense(), near, atol=1e-6, rtol=0)


def test_large_matrices_are_decomposed_by_chance_that_is_its_own(monkeypatch):
    differences = random_differences((60, 50), rank=2)
    exact = initial_terms(differences, 6)
    monkeypatch.setattr(initial, "EXACT", 0)
    state = torch.get_rng_state()
    once, again, other = (initial_terms(differences, 6, seed=seed)["m0"] for seed in (0, 0, 1))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(once.left, again.left)
    assert not torch.equal(once.left, other.left)
    weights = torch.tensor([0.2, 0.3, 0.5])
    torch.testing.assert_close(once.at(weights).dense(), exact["m0"].at(weights).dense(), atol=1e-5, rtol=1e-4)
