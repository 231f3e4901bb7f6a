"""Texts in groups that a model runs at once."""

import pytest
import torch

from hm3.parameter.pareto.groups import grouped, packed
from hm3.parameter.pareto.texts import Text, answers


def texts_of(*lengths, answer=1):
    return [Text(tuple(range(length)), length - answer) for length in lengths]


def test_texts_of_similar_length_run_together():
    assert packed(texts_of(30, 4, 29, 5), 64) == [[1, 3], [2, 0]]


def test_a_group_has_no_more_padded_tokens_than_allowed():
    assert packed(texts_of(10, 10, 10, 12), 36) == [[0, 1, 2], [3]]


def test_a_group_predicts_an_eighth_of_its_tokens_at_most():
    assert packed(texts_of(6, 6, 6, 6, answer=3), 64) == [[0, 1], [2, 3]]


def test_a_text_that_is_too_long_runs_alone():
    assert packed(texts_of(5, 90, 100), 64) == [[0], [1], [2]]


@pytest.mark.parametrize("tokens", [8, 4096])
def test_the_sums_of_all_groups_are_the_means_over_each_experts_texts(tokens):
    groups = grouped([texts_of(3, 9), texts_of(5, 7, 3, 9)], answers, tokens, torch.device("cpu"))
    lengths = [group.batch.tokens.sum(1) for group in groups]  # 0 + 1 + ... of all tokens but the last
    assert sum(group.sums(each, 2) for group, each in zip(groups, lengths, strict=True)).tolist() == [
        (1 + 28) / 2,
        (6 + 15 + 1 + 28) / 4,
    ]


def test_what_one_experts_texts_do_is_nothing_to_the_others():
    [group] = grouped([texts_of(3), texts_of(4)], answers, 4096, torch.device("cpu"))
    assert group.sums(torch.tensor([1.0, float("nan")]), 2).tolist() == [1.0, pytest.approx(float("nan"), nan_ok=True)]
