"""The data-based losses: what the merged model makes of texts of each expert's own objectives.

Entropy of predictions on unlabelled prompts is AdaMerging's loss, which the paper takes; with reference answers at hand
(search items are steered by anyway) their negative log-likelihood is the task itself. A text's loss is the mean over
its own tokens, and texts count alike: so do items in metrics of likelihood per character.

Memory beside the base, however many texts there are: what `tokens` padded tokens leave behind for a backward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hm3.checks import number
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.pareto.conditioned_model import ConditionedModel
from hm3.parameter.pareto.criteria import Criterion
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.groups import Group, grouped
from hm3.parameter.pareto.scalarisation import Scalarisation
from hm3.parameter.pareto.tensor import METHOD
from hm3.parameter.pareto.texts import Text


class DataBased:
    """Losses of texts, one for each expert.

    Args:
        model: The base with terms.
        texts: Name of each of the K experts, in order -> the texts of the objectives that it is for.
        criterion: What a text's loss is.
        batch: Texts of each expert in a step.
        held_out: Share of each expert's texts that no step draws: `losses` is the mean over them, so that training ends
            where it no longer helps texts that it has not seen.
        tokens: Padded tokens that run at once, at most.
        seed: Of the order of texts.

    Raises:
        ConfigurationError: An expert has fewer than two texts.
        CheckpointError: When losses are first asked for: one of the base's is not finite or not above 0.
    """

    def __init__(
        self,
        model: ConditionedModel,
        texts: Mapping[str, Sequence[Text]],
        criterion: Criterion,
        *,
        batch: int = 16,
        held_out: float = 1 / 3,
        tokens: int = 4096,
        seed: int = 0,
    ) -> None:
        for name, own in texts.items():
            if len(own) < 2:
                rule = "2 texts or more for every expert (its objectives)"
                raise ConfigurationError(f"{METHOD}: {rule}, got {len(own)} for {name}")
        number("pareto_merging.held_out", held_out, 0, 1)
        self.experts, self._names = len(texts), tuple(texts)
        self._model, self._criterion, self._batch, self._tokens = model, criterion, batch, tokens
        rng = np.random.default_rng(seed)
        mixed = [[own[i] for i in rng.permutation(len(own))] for own in texts.values()]
        cuts = [min(len(own) - 1, max(1, round(held_out * len(own)))) for own in mixed]
        self._fixed = self._groups([own[:cut] for own, cut in zip(mixed, cuts, strict=True)])
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
        groups = self._groups([self._draw(own) for own in self._texts])
        return torch.stack([self._descend(factors, row, groups, scalarisation, len(weights)) for row in weights])

    def _descend(
        self, factors: Factors, weights: Tensor, groups: Sequence[Group], scalarisation: Scalarisation, count: int
    ) -> Tensor:
        """Add one of `count` rows' gradient; its losses (K,).

        Several groups run twice: the slope of a scalarisation depends on the losses of all of them.
        """
        once = len(groups) == 1
        with torch.set_grad_enabled(once):
            losses = self._losses(factors, weights, groups)
        slopes = scalarisation.gradient(losses.detach()[None], weights[None])[0] / count
        for part in [losses] if once else (self._losses(factors, weights, [group]) for group in groups):
            (slopes * part).sum().backward()  # type: ignore[no-untyped-call]
        return losses.detach()

    def _draw(self, texts: Sequence[Text]) -> list[Text]:
        count = min(self._batch, len(texts))
        return [texts[i] for i in self._rng.choice(len(texts), count, replace=False).tolist()]

    def _groups(self, texts: Sequence[Sequence[Text]]) -> list[Group]:
        return grouped(texts, self._criterion.read, self._tokens, self._model.device)

    def _losses(self, factors: Factors, weights: Tensor, groups: Iterable[Group]) -> Tensor:
        """(K,) float64 what the groups add to the losses, in units of the base's."""
        scales = self._scale(factors)  # first: the model remembers the last weights until the backward pass
        return self._raw(factors, weights, groups) / scales

    def _raw(self, factors: Factors, weights: Tensor, groups: Iterable[Group]) -> Tensor:
        return torch.stack([self._of(factors, weights.float(), group) for group in groups]).sum(0)

    def _of(self, factors: Factors, weights: Tensor, group: Group) -> Tensor:
        logits = self._model.logits(group.batch, factors, weights)
        return group.sums(self._criterion(logits, group.batch), self.experts)

    @torch.no_grad()
    def _scale(self, factors: Factors) -> Tensor:
        """(K,) the base's own losses: with no weight on any expert, terms add nothing."""
        if self._scales is None:
            self._scales = self._raw(factors, torch.zeros(self.experts), self._fixed)
            for name, loss in zip(self._names, self._scales.tolist(), strict=True):
                if not 0 < loss < float("inf"):
                    rule = "a base whose losses on texts are finite and above 0"
                    raise CheckpointError(f"{METHOD}: {rule}, got {loss:g} on those of {name}")
        return self._scales
