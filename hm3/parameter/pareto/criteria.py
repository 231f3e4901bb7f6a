"""What a model's predictions are worth on a batch of texts; smaller is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from hm3.parameter.pareto.texts import Batch, Text, answers, prompts


class Measure(Protocol):
    """Judges predictions."""

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(m,) of each prediction, logits (m, vocabulary) and targets (m,)."""
        ...


@dataclass(frozen=True)
class Criterion:
    """A loss of texts.

    Attributes:
        read: What the model is shown of them.
        measure: What each scored prediction is worth; a text's loss is the mean over its predictions.
    """

    read: Callable[[Sequence[Text]], Batch]
    measure: Measure

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """(n,) loss of each text, logits (m, vocabulary) at the m scored positions, row by row."""
        scored = batch.scored
        values = self.measure(logits.float(), batch.targets[scored])
        owners = scored.nonzero()[:, 0]
        sums = values.new_zeros(len(scored)).index_add(0, owners, values)
        return sums / scored.sum(1)


def entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Of the predicted distributions, in nats: how unsure the model is (AdaMerging's loss); targets are ignored."""
    log_probs = logits.log_softmax(-1)
    return -(log_probs.exp() * log_probs).sum(-1)


def surprise(logits: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihoods of the targets, in nats."""
    return torch.nn.functional.cross_entropy(logits, targets, reduction="none")


CRITERIA: Mapping[str, Criterion] = {"entropy": Criterion(prompts, entropy), "task": Criterion(answers, surprise)}
