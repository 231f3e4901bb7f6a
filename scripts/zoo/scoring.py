"""Batched scores of items under one model: what lm-eval reports, faster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Encoded:
    """The tokens of an item, BOS first, and how many of them are the answer's."""

    tokens: tuple[int, ...]
    answer_tokens: int
    answer_characters: int


@dataclass(frozen=True)
class Score:
    """Means over items: exact match and likelihood per answer character, both in [0, 1]."""

    exact_match: float
    answer_likelihood: float


def encode(tokenizer: PreTrainedTokenizerBase, pairs: Iterable[tuple[str, str]]) -> list[Encoded]:
    """Encode pairs of prompt and answer."""
    prompts, answers = zip(*pairs, strict=True)
    heads = tokenizer(list(prompts)).input_ids
    tails = tokenizer(list(answers), add_special_tokens=False).input_ids
    return [
        Encoded((*head, *tail), len(tail), len(answer))
        for head, tail, answer in zip(heads, tails, answers, strict=True)
    ]


def pad(batch: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """Return token ids and a mask of answer tokens, both (items, longest), padded with 0 on the right."""
    width = max(len(item.tokens) for item in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    answers = torch.zeros(len(batch), width, dtype=torch.bool)
    for row, item in enumerate(batch):
        end = len(item.tokens)
        ids[row, :end] = torch.tensor(item.tokens)
        answers[row, end - item.answer_tokens : end] = True
    return ids, answers


def batches(items: Sequence[Encoded], tokens: int) -> list[list[Encoded]]:
    """Cut items, sorted by length, into batches of at most `tokens` tokens with their padding."""
    cut: list[list[Encoded]] = []
    for item in sorted(items, key=lambda item: (len(item.tokens), item.tokens)):
        if not cut or (len(cut[-1]) + 1) * len(item.tokens) > tokens:
            cut.append([])
        cut[-1].append(item)
    return cut


@torch.inference_mode()
def score(model: LlamaForCausalLM, items: Sequence[Encoded], tokens: int = 4096) -> Score:
    """Score `model` on `items`, in batches of at most `tokens` tokens."""
    results = [result for batch in batches(items, tokens) for result in _score_batch(model, batch)]
    matches, likelihoods = zip(*results, strict=True)
    return Score(sum(matches) / len(results), sum(likelihoods) / len(results))


def _score_batch(model: LlamaForCausalLM, batch: Sequence[Encoded]) -> list[tuple[bool, float]]:
    ids, answers = pad(batch)
    logits = model(ids, use_cache=False).logits[:, :-1]
    targets, asked = ids[:, 1:], answers[:, 1:]
    losses = nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    totals = (losses * asked).sum(1).tolist()
    matches = ((logits.argmax(-1) == targets) | ~asked).all(1).tolist()
    return [
        (match, exp(-total / item.answer_characters)) for match, total, item in zip(matches, totals, batch, strict=True)
    ]


def score_tasks(model: LlamaForCausalLM, tasks: Mapping[str, Sequence[Encoded]]) -> dict[str, Score]:
    """Score `model` on every task."""
    return {task: score(model, items) for task, items in tasks.items()}
