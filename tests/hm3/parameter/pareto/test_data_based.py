"""Losses on texts, of a base with terms."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.pareto import (
    CRITERIA,
    ConditionedModel,
    DataBased,
    Linear,
    SmoothTchebycheff,
    Text,
    check_trainable,
)
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.matrices import layer_matrices
from hm3.parameter.pareto.texts import Batch, answers
from tests.tiny import write_checkpoint
from tests.tiny_families import SAMPLES, write_source
from tests.tiny_tensors import random_tensor, written

WEIGHTS = torch.tensor([[0.7, 0.3], [0.0, 1.0]], dtype=torch.float64)
TEXTS = {
    "math": [Text((1, 9 + i, 5, 6, 7), 3) for i in range(6)],
    "code": [Text((1, 30 + i, 8), 2) for i in range(6)],
}
PACKED = [each for each in SAMPLES if each.model_type in ("mixtral", "qwen3_moe", "qwen2_moe")]
WHOLE = [each for each in SAMPLES if each not in PACKED]


def names(sample):
    return sample.name


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return Checkpoint.open("base", write_checkpoint(folder / "base", depth=2, dtype=torch.float32))


@pytest.fixture(scope="module")
def tensor(base):
    return random_tensor(base, [base.source, base.source])


def loaded(checkpoint):
    return AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32).eval()


def losses_of(base, tensor, **settings):
    model = ConditionedModel(loaded(base), tensor.terms)
    return DataBased(model, TEXTS, CRITERIA[settings.pop("criterion", "task")], **settings)


def plain(model, texts):
    """The task loss by transformers' own means, a text at a time."""
    found = []
    for text in texts:
        labels = torch.tensor([[-100] * text.prompt + list(text.tokens[text.prompt :])])
        found.append(model(torch.tensor([text.tokens]), labels=labels).loss.item())
    return np.mean(found)


def held_out(objective):
    """For each expert the texts that no step draws."""
    pairs = zip(TEXTS.values(), objective._texts, strict=True)
    return [[text for text in own if text not in drawn] for own, drawn in pairs]


def test_losses_are_those_of_the_merged_model_in_units_of_the_bases(base, tensor, tmp_path):
    objective = losses_of(base, tensor)
    found, kept = objective.losses(Factors(tensor.terms), WEIGHTS), held_out(objective)
    unit = [plain(loaded(base), own) for own in kept]
    for number, row in enumerate(WEIGHTS.tolist()):
        model = loaded(written(tmp_path / str(number), base, tensor, row))
        assert found[number].tolist() == pytest.approx(
            [plain(model, own) / one for own, one in zip(kept, unit, strict=True)], rel=1e-5
        )


def test_without_weights_the_logits_are_the_bases_to_the_last_bit(base, tensor):
    batch = Batch(torch.tensor([[1, 2, 3, 4]]), torch.ones(1, 4, dtype=torch.bool), torch.zeros(1, 4))
    with torch.no_grad():
        ours = ConditionedModel(loaded(base), tensor.terms).logits(batch, Factors(tensor.terms), torch.zeros(2))
        assert torch.equal(ours, loaded(base)(batch.tokens).logits[0])


def test_only_factors_learn(base, tensor):
    model, factors = loaded(base), Factors(tensor.terms)
    before = {name: each.clone() for name, each in model.named_parameters()}
    objective = DataBased(ConditionedModel(model, tensor.terms), TEXTS, CRITERIA["entropy"])
    objective.backward(factors, WEIGHTS, SmoothTchebycheff())
    assert all(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in factors.parameters())
    for name, each in model.named_parameters():
        assert each.grad is None
        assert torch.equal(each, before[name.replace("parametrizations.", "").replace(".weight.original", ".weight")])


@pytest.mark.parametrize("criterion", ["task", "entropy"])
@pytest.mark.parametrize("scalarisation", [Linear(), SmoothTchebycheff()])
def test_the_gradient_is_that_of_finite_differences(base, tensor, criterion, scalarisation):
    objective, factors = losses_of(base, tensor, criterion=criterion), Factors(tensor.terms)
    objective._texts = held_out(objective)  # all of them in every batch
    objective.backward(factors, WEIGHTS, scalarisation)
    name = next(iter(tensor.terms))
    leaf = factors.term(name).core

    def value(step):
        moved = Factors(tensor.terms)
        with torch.no_grad():
            moved.term(name).core[0, 1, 1] += step
        return scalarisation.value(objective.losses(moved, WEIGHTS), WEIGHTS).mean().item()

    step = 2e-2
    assert leaf.grad[0, 1, 1].item() == pytest.approx((value(step) - value(-step)) / (2 * step), rel=2e-2, abs=1e-5)


def test_running_layers_again_changes_no_gradient(base, tensor, monkeypatch):
    gradients, counts = [], []
    for limit in (10**12, 0):
        monkeypatch.setattr("hm3.parameter.pareto.conditioned_model.RECOMPUTED", limit)
        objective, factors, ran = losses_of(base, tensor), Factors(tensor.terms), []
        objective.losses(factors, WEIGHTS[:1])  # the base's own are known now
        objective._model._model.model.layers[1].mlp.register_forward_pre_hook(lambda *_, ran=ran: ran.append(1))
        objective.backward(factors, WEIGHTS, Linear())
        gradients.append([leaf.grad for leaf in factors.parameters()])
        counts.append(len(ran))
    assert counts == [2, 4]  # each of two rows once, or once more on the way back
    assert all(torch.allclose(one, other, rtol=1e-5, atol=1e-8) for one, other in zip(*gradients, strict=True))


def test_batches_go_on_where_they_were(base, tensor):
    one, other = (losses_of(base, tensor, batch=2, seed=3) for _ in range(2))
    factors = Factors(tensor.terms)
    first = [one.backward(factors, WEIGHTS, Linear()) for _ in range(3)]
    other.backward(factors, WEIGHTS, Linear())
    state = other.state
    resumed = losses_of(base, tensor, batch=2, seed=3)
    resumed.state = state
    assert torch.equal(resumed.backward(factors, WEIGHTS, Linear()), first[1])
    assert not torch.equal(first[0], first[1])


def test_no_step_draws_what_losses_are_judged_on(base, tensor):
    objective = losses_of(base, tensor, held_out=0.5)
    assert [len(own) for own in objective._texts] == [3, 3]
    judged = [row for group in objective._fixed for row in group.batch.tokens.tolist()]
    kept = [text for own in held_out(objective) for text in own]
    assert sorted(row[:2] for row in judged) == sorted([*text.tokens[:2]] for text in kept)
    seen = [text for _ in range(20) for text in objective._draw(objective._texts[0])]
    assert {*seen} == {*objective._texts[0]}


def test_an_expert_without_texts_is_refused(base, tensor):
    with pytest.raises(ConfigurationError, match=r"2 texts or more for every expert .*, got 0 for code"):
        DataBased(ConditionedModel(loaded(base), tensor.terms), {**TEXTS, "code": []}, CRITERIA["task"])


def test_a_base_without_finite_losses_is_refused(base, tensor):
    model = loaded(base)
    model.get_input_embeddings().weight.data[30:40] = float("nan")  # what code alone reads
    objective = DataBased(ConditionedModel(model, tensor.terms), TEXTS, CRITERIA["task"])
    with pytest.raises(CheckpointError, match="losses on texts are finite and above 0, got nan on those of code"):
        objective.losses(Factors(tensor.terms), WEIGHTS)


@pytest.mark.parametrize("scalarisation", [Linear(), SmoothTchebycheff()])
def test_groups_that_run_one_after_the_other_are_one_batch(base, tensor, scalarisation):
    found = []
    for tokens in (4096, 8):  # of a group; 8 leave every text alone
        objective, factors = losses_of(base, tensor, tokens=tokens), Factors(tensor.terms)
        losses = objective.backward(factors, WEIGHTS, scalarisation)
        found.append([losses, objective.losses(factors, WEIGHTS), *(leaf.grad for leaf in factors.parameters())])
    assert all(torch.allclose(one, other, rtol=1e-4, atol=1e-7) for one, other in zip(*found, strict=True))


def test_of_several_groups_one_at_a_time_is_kept_for_the_backward_pass(base, tensor, monkeypatch):
    objective, kept = losses_of(base, tensor, tokens=8, batch=2), []
    run = ConditionedModel.logits
    objective.losses(Factors(tensor.terms), WEIGHTS[:1])  # the base's own are known now
    monkeypatch.setattr(ConditionedModel, "logits", lambda *given: kept.append(torch.is_grad_enabled()) or run(*given))
    objective.backward(Factors(tensor.terms), WEIGHTS[:1], Linear())
    assert kept == 4 * [False] + 4 * [True]


@pytest.mark.parametrize("sample", WHOLE, ids=names)
def test_every_family_runs_with_its_terms(sample, tmp_path):
    base = write_source(tmp_path / "base", sample, depth=2, seed=0)
    check_trainable(base)
    tensor = random_tensor(base, [base.source, base.source])
    batch = answers(TEXTS["math"])
    with torch.no_grad():
        ours = ConditionedModel(loaded(base), tensor.terms).logits(batch, Factors(tensor.terms), WEIGHTS[0].float())
        merged = loaded(written(tmp_path / "merged", base, tensor, WEIGHTS[0].tolist()))
        theirs = merged(batch.tokens).logits[batch.scored]
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("sample", PACKED, ids=names)
def test_families_that_memory_packs_are_refused(sample, tmp_path):
    base = write_source(tmp_path / "base", sample, depth=1, seed=0)
    with pytest.raises(CheckpointError, match=r"losses on texts need weight matrices .* got model\.layers\.0"):
        ConditionedModel(loaded(base), layer_matrices(base))
    with pytest.raises(CheckpointError, match=r"losses on texts need weight matrices .* got model\.layers\.0"):
        check_trainable(base)
