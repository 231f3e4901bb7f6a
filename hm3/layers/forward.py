"""What runs a family's layers, whichever way: the scorer knows only this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from hm3.layers.conditioned import ConditionedTerm

FULL, SLIDING = "full_attention", "sliding_attention"  # entries of ``layer_types`` in transformers' configs


class LayerKind(NamedTuple):
    """What a layer does otherwise than its neighbours; it comes from the layer's own source and goes where it goes.

    Attributes:
        attention: The layer's entry in ``layer_types``.
        rope: Whether its attention turns queries and keys by position.
        experts: In families with experts, whether its MLP has any.
    """

    attention: str = FULL
    rope: bool = True
    experts: bool = True


class Weights(Protocol):
    """One layer's weights, kept in the form in which its forward uses them."""

    def tensors(self) -> dict[str, Tensor]:
        """The parameters of transformers' own layer by name, without copies."""
        ...


class TakesTerms(Weights, Protocol):
    """Weights whose forward adds low-rank terms to what their matrices make."""

    def pack_terms(self, terms: Mapping[str, ConditionedTerm]) -> Any:
        """Terms of the matrices, by the names that these have in the file after the layer's prefix, for `plus`."""
        ...

    def plus(self, terms: Any, weights: Tensor) -> TakesTerms:
        """The same layer with the terms for weights (K,), sharing its tensors."""
        ...


class WeightsForm(Protocol):
    """Packs a layer's tensors for its forward."""

    def __call__(self, tensors: Mapping[str, Tensor], kind: LayerKind) -> Weights:
        """From the tensors by the names that they have in the file after the layer's prefix.

        Raises:
            CheckpointError: A tensor is missing, or there is one that the forward would ignore.
        """
        ...


class Ending(NamedTuple):
    """What a head host gives.

    Attributes:
        norm: The final norm's tensors, as the family's row lists them.
        head: (vocabulary, width)
    """

    norm: tuple[Tensor, ...]
    head: Tensor


class Forward(Protocol):
    """Runs single layers of one family at the scalars of one host, on right-padded rows under a causal mask."""

    def begin(self, embedding: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """Token rows (rows, length) to hidden states (rows, length, width); `embedding` as the row lists it."""
        ...

    def layer(self, weights: Any, hidden: Tensor) -> Tensor:
        """One layer at every position: (rows, length, width) to the same shape, in new memory."""
        ...

    def last_layer(self, weights: Any, hidden: Tensor, slots: Tensor, used: Tensor) -> Tensor:
        """One layer at answer positions only.

        Args:
            weights: The layer.
            hidden: (rows, length, width).
            slots: (rows, answers) positions that predict an answer token, padded with any position.
            used: (rows, answers) which slots are real.

        Returns:
            (number of real slots, width), row by row.
        """
        ...

    def logits(self, ending: Ending, hidden: Tensor) -> Tensor:
        """(n, width) to (n, vocabulary)."""
        ...

    def at(self, scale: float) -> Forward:
        """The same forward for hidden states `scale` times as large as those of the exported model.

        Norms that read the hidden states add an epsilon that is ``scale ** 2`` times as large; all other norms stay.
        """
        ...


class ForwardMaker(Protocol):
    """Makes the forward at a host's scalars."""

    def __call__(self, config: Mapping[str, Any], length: int, device: torch.device, dtype: torch.dtype) -> Forward:
        """The forward.

        Args:
            config: The host's ``config.json``.
            length: The longest row, in tokens.
            device: Where it runs.
            dtype: Of hidden states and weights.
        """
        ...


def answers(hidden: Tensor, slots: Tensor, used: Tensor) -> Tensor:
    """Hidden states at answer positions only, in new memory; arguments and result as of `Forward.last_layer`."""
    return hidden.gather(1, slots[:, :, None].expand(-1, -1, hidden.shape[2]))[used]
