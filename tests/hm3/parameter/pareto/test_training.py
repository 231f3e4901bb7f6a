"""Training lowers the losses, keeps the best, and goes on after a kill as if nothing had been."""

import math

import numpy as np
import pytest
import torch

from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.pareto import DataFree, Linear, Preferences, SmoothTchebycheff, Term, Training, initial_terms
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.preferences import validation_weights
from hm3.parameter.pareto.record import TrainingRecord
from tests.pareto_differences import random_differences

DIFFERENCES = random_differences((9, 7), (6, 6))


def start():
    return initial_terms(DIFFERENCES, 2)


class KilledError(Exception):
    pass


def killing_at(step):
    def kill(reached, value):
        if reached == step:
            raise KilledError

    return kill


def same(one, other):
    pairs = zip(Factors(one).parameters(), Factors(other).parameters(), strict=True)
    return list(one) == list(other) and all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize(
    "setting",
    [{"steps": -1}, {"batch": 0}, {"learning_rate": 0}, {"learning_rate": math.nan}, {"patience": 0}, {"seed": None}],
)
def test_settings_out_of_range_are_refused(setting):
    [name] = setting
    with pytest.raises(ConfigurationError, match=f"^pareto_merging.{name}: "):
        Training(**setting)


def test_draws_are_on_the_simplex_with_their_share_of_corners():
    drawn = Preferences(corners=0.25).draw(3, 4000, np.random.default_rng(0))
    assert drawn.shape == (4000, 3)
    torch.testing.assert_close(drawn.sum(1), torch.ones(4000, dtype=torch.float64))
    assert (drawn.max(1).values == 1).double().mean().item() == pytest.approx(0.25, abs=0.03)
    assert drawn.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    with pytest.raises(ConfigurationError):
        Preferences(concentration=0)


@pytest.mark.parametrize(("experts", "most", "count"), [(1, 21, 1), (2, 21, 21), (3, 21, 21), (3, 20, 15), (8, 3, 8)])
def test_the_validation_lattice_is_as_fine_as_it_may_be(experts, most, count):
    weights = validation_weights(experts, most)
    assert weights.shape == (count, experts)
    assert all((weights == corner).all(1).any() for corner in torch.eye(experts))


def test_full_rank_and_linear_scalarisation_end_at_the_weighted_mean_of_the_experts():
    """All experts are equally far from the base, so that sum w_k |W - W_k|^2 is least at sum w_k W_k."""
    differences = random_differences((5, 5))
    draw = torch.Generator().manual_seed(5)
    begun = {
        name: Term(
            *(part + 0.1 * torch.randn(part.shape, generator=draw) for part in (term.left, term.core, term.right))
        )
        for name, term in initial_terms(differences, 5).items()
    }
    training = Training(steps=400, scalarisation=Linear(), patience=100)
    terms = training(DataFree(differences), lambda: begun).terms
    weights = torch.tensor([0.2, 0.3, 0.5])
    mean = torch.einsum("k,kij->ij", weights, differences.of("m0"))
    before = (begun["m0"].at(weights).dense() - mean).norm()
    assert (terms["m0"].at(weights).dense() - mean).norm() < 0.01 * before


def test_for_one_expert_training_leaves_the_truncated_svd():
    differences = random_differences((9, 7), experts=1)
    trained = Training(steps=20)(DataFree(differences), lambda: initial_terms(differences, 2))
    values = np.linalg.svd(differences.of("m0")[0].numpy(), compute_uv=False)
    error = (trained.terms["m0"].at(torch.ones(1)).dense() - differences.of("m0")[0]).square().sum().item()
    assert error == pytest.approx(float((values[2:] ** 2).sum()), rel=1e-4)


def test_it_lowers_what_is_validated_and_says_how():
    heard = []
    trained = Training(steps=60)(DataFree(DIFFERENCES), start, progress=lambda step, value: heard.append((step, value)))
    record = trained.record
    assert [step for step, _ in record.validations] == [0, 10, 20, 30, 40, 50, 60]
    assert record.best[1] < record.validations[0][1] - 0.05
    assert (record.stopped, len(record.values)) == ("steps", 60)
    assert heard == list(enumerate(record.values, start=1))
    weights = validation_weights(3, 21)
    value = SmoothTchebycheff().value(DataFree(DIFFERENCES).losses(Factors(trained.terms), weights), weights).mean()
    assert value.item() == record.best[1]
    assert TrainingRecord.from_json(record.to_json()) == record


def test_without_steps_the_start_comes_back():
    assert same(Training(steps=0)(DataFree(DIFFERENCES), start).terms, start())


def test_it_ends_when_nothing_improves_and_the_best_stays():
    wild = Training(steps=100, learning_rate=10.0, validate_every=5, patience=2)(DataFree(DIFFERENCES), start)
    assert wild.record.stopped == "no improvement"
    assert [step for step, _ in wild.record.validations] == [0, 5, 10]
    assert same(wild.terms, start())


@pytest.mark.parametrize(
    ("values", "stopped"),
    [
        ((1.0, 0.9, 0.8), ""),
        ((1.0, 0.99, 0.98), "no improvement"),  # too little at a time
        ((1.0, 0.96, 0.92), ""),  # together enough
        ((1.0, 1.1, 0.9), ""),
        ((1.0, 1.1, 1.0), "no improvement"),
        ((1.0, math.inf), "not finite"),
    ],
)
def test_patience_is_for_improvements_that_count(values, stopped):
    record = TrainingRecord(validations=tuple(enumerate(values)))
    assert record.decided(steps=9, patience=2, improvement=0.05).stopped == stopped
    assert record.decided(steps=len(values) - 1, patience=9, improvement=0).stopped == (
        "not finite" if stopped == "not finite" else "steps"
    )


class Breaking(DataFree):
    def losses(self, factors, weights):
        moved = not same(factors.frozen(), start())
        return super().losses(factors, weights) * (math.nan if moved else 1)


def test_losses_that_are_not_finite_end_it_and_the_best_stays(tmp_path):
    file = tmp_path / "resume"
    for _ in range(2):  # the second time from the file
        trained = Training(steps=50)(Breaking(DIFFERENCES), start, file=file)
        assert (trained.record.stopped, len(trained.record.values)) == ("not finite", 10)
        assert same(trained.terms, start())


@pytest.mark.parametrize("step", [1, 9, 10, 13, 29, 30])
def test_a_killed_training_ends_as_the_uninterrupted_one(tmp_path, step):
    training, objective, file = Training(steps=30, save_seconds=0), DataFree(DIFFERENCES), tmp_path / "resume"
    whole = training(objective, start)
    with pytest.raises(KilledError):
        training(objective, start, file=file, progress=killing_at(step))
    resumed = training(objective, pytest.fail, file=file)
    assert resumed.record == whole.record
    assert same(resumed.terms, whole.terms)
    assert same(training(objective, pytest.fail, file=file).terms, whole.terms)  # nothing is left to do


def test_what_the_objective_draws_is_resumed_too(tmp_path):
    class Drawing(DataFree):
        state = 0

        def backward(self, factors, weights, scalarisation):
            self.state += 1
            return super().backward(factors, weights, scalarisation)

    training, file = Training(steps=9, save_seconds=0), tmp_path / "resume"
    with pytest.raises(KilledError):
        training(Drawing(DIFFERENCES), start, file=file, progress=killing_at(4))
    again = Drawing(DIFFERENCES)
    training(again, start, file=file)
    assert again.state == 9


def test_a_resume_point_of_another_training_is_refused(tmp_path):
    file = tmp_path / "resume"
    Training(steps=2)(DataFree(DIFFERENCES), start, file=file, about="one")
    for training, about in ((Training(steps=2), "other"), (Training(steps=3), "one")):
        with pytest.raises(ConfigurationError, match="a resume point of this training, got that of another: remove it"):
            training(DataFree(DIFFERENCES), start, file=file, about=about)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        Training(steps=2)(DataFree(DIFFERENCES), start, file=file, about="one")
