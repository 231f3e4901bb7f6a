"""The data-based losses: what the merged model makes of texts of each expert's own objectives.

Entropy of predictions on unlabelled prompts is AdaMerging's loss, which the paper takes; with reference answers at hand
(search items are steered by anyway) their negative log-likelihood is the task itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hm3.checks import number
from hm3.errors import ConfigurationError
from hm3.parameter.pareto.conditioned_model import ConditionedModel
from hm3.parameter.pareto.criteria import Criterion
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.scalarisation import Scalarisation
from hm3.parameter.pareto.texts import Text


class DataBased:
    """Losses of texts, one for each expert.

    Args:
        model: The base with terms.
        texts: For each of the K experts those of the objectives that it is for.
        criterion: What a text's loss is.
        batch: Texts of each expert in a step.
        held_out: Share of each expert's texts that no step draws: `losses` is the mean over them, so that training ends
            where it no longer helps texts that it has not seen.
        seed: Of the order of texts.

    Raises:
        ConfigurationError: An expert has fewer than two texts.
    """

    def __init__(
        self,
        model: ConditionedModel,
        texts: Sequence[Sequence[Text]],
        criterion: Criterion,
        *,
        batch: int = 16,
        held_out: float = 1 / 3,
        seed: int = 0,
    ) -> None:
        least = min(map(len, texts))
        if least < 2:
            raise ConfigurationError(f"pareto_merging: 2 texts or more for every expert (its objectives), got {least}")
        number("pareto_merging.held_out", held_out, 0, 1)
        self.experts = len(texts)
        self._model, self._criterion, self._batch = model, criterion, batch
        rng = np.random.default_rng(seed)
        mixed = [[own[i] for i in rng.permutation(len(own))] for own in texts]
        cuts = [min(len(own) - 1, max(1, round(held_out * len(own)))) for own in mixed]
        self._fixed = [own[:cut] for own, cut in zip(mixed, cuts, strict=True)]
        self._texts = [own[cut:] for own, cut in zip(mixed, cuts, strict=True)]
        self._rng = rng
        self._scales: Tensor | None = None

    @property
    def state(self) -> Any:
        """The generator's state."""
        return self._rng.bit_generator.state

    @state.setter
    def state(self, value: Any) -> None:
        self._rng.bit_generator.state = value

    @torch.no_grad()
    def losses(self, factors: Factors, weights: Tensor) -> Tensor:
        """The losses (n, K) on the texts that are held out."""
        return torch.stack([self._losses(factors, row, self._fixed) for row in weights])

    def backward(self, factors: Factors, weights: Tensor, scalarisation: Scalarisation) -> Tensor:
        """Add the gradient on a batch of texts, the same for all n rows; the losses (n, K)."""
        drawn = [self._draw(own) for own in self._texts]
        found = []
        for row in weights:
            losses = self._losses(factors, row, drawn)
            value = scalarisation.value(losses[None], row[None].to(losses)).sum() / len(weights)
            value.backward()  # type: ignore[no-untyped-call]
            found.append(losses.detach())
        return torch.stack(found)

    def _draw(self, texts: Sequence[Text]) -> list[Text]:
        count = min(self._batch, len(texts))
        return [texts[i] for i in self._rng.choice(len(texts), count, replace=False).tolist()]

    def _losses(self, factors: Factors, weights: Tensor, texts: Sequence[Sequence[Text]]) -> Tensor:
        """(K,) float64, in units of the base's."""
        scales = self._scale(factors)  # first: the model remembers the last weights until the backward pass
        return self._raw(factors, weights, texts) / scales

    def _raw(self, factors: Factors, weights: Tensor, texts: Sequence[Sequence[Text]]) -> Tensor:
        batch = self._criterion.read([text for own in texts for text in own])
        values = self._criterion(self._model.logits(batch.tokens, factors, weights.float()), batch)
        return torch.stack([own.double().mean() for own in torch.split(values, [len(own) for own in texts])])

    @torch.no_grad()
    def _scale(self, factors: Factors) -> Tensor:
        """(K,) the base's own losses: with no weight on any expert, terms add nothing."""
        if self._scales is None:
            self._scales = self._raw(factors, torch.zeros(self.experts), self._fixed)
        return self._scales
