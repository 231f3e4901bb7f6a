"""Texts in batches, and what predictions on them are worth."""

import math

import pytest
import torch

from hm3.parameter.pareto.criteria import CRITERIA, entropy, surprise
from hm3.parameter.pareto.texts import Text, answers, prompts

TEXTS = (Text((1, 5, 6, 7), 2), Text((1, 8), 1))


def test_answers_are_predicted_from_the_tokens_before_them():
    batch = answers(TEXTS)
    assert batch.tokens.tolist() == [[1, 5, 6], [1, 0, 0]]
    assert batch.targets.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch.scored.tolist() == [[False, True, True], [True, False, False]]


def test_prompts_show_no_answer():
    batch = prompts(TEXTS)
    assert batch.tokens.tolist() == [[1, 5], [1, 0]]
    assert batch.scored.tolist() == [[False, True], [True, False]]
    assert batch.targets[batch.scored].tolist() == [0, 0]


def test_a_uniform_prediction_has_the_entropy_of_its_vocabulary():
    assert entropy(torch.zeros(3, 50), torch.zeros(3, dtype=torch.long)).tolist() == pytest.approx([math.log(50)] * 3)


def test_a_certain_prediction_has_none():
    logits = torch.tensor([[100.0, 0.0, 0.0]])
    assert entropy(logits, torch.tensor([0])).item() == pytest.approx(0, abs=1e-6)


def test_surprise_is_the_negative_log_likelihood():
    logits = torch.tensor([[0.25, 0.75]]).log()
    assert surprise(logits, torch.tensor([0])).item() == pytest.approx(math.log(4))


def test_a_texts_loss_is_the_mean_over_its_own_predictions():
    batch = answers(TEXTS)
    logits = torch.zeros(3, 10)
    logits[2, 8] = math.log(9)  # the second text's answer has probability 9 of 18
    values = CRITERIA["task"](logits, batch).tolist()
    assert values == pytest.approx([math.log(10), math.log(2)])
