"""A family's own model with one layer, taken apart: what comes before the layer, the layer, the final norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from hm3.errors import CheckpointError

Given = tuple[tuple[Any, ...], dict[str, Any]]  # arguments by place and by name
EPSILONS = {"eps", "variance_epsilon"}  # what norms call it


@dataclass(frozen=True, slots=True)
class Parts:
    """What a family's model calls its parts.

    Attributes:
        layers: The list of layers.
        norm: The final norm.
        embedding: The parameters before the layers, as the family's row lists them.
    """

    layers: str = "layers"
    norm: str = "norm"
    embedding: tuple[str, ...] = ("embed_tokens.weight",)


USUAL = Parts()


class Stage:
    """The parts, run with weights that are lent to them for the call.

    Args:
        trunk: The model without its head.
        parts: What it calls its parts.
        device: Where it runs.
        dtype: Of hidden states and weights.
        scale: How much larger hidden states are than the model's own.
    """

    def __init__(self, trunk: Any, parts: Parts, device: torch.device, dtype: torch.dtype, scale: float) -> None:
        self._trunk, self._names = trunk, parts.embedding
        layers, self._listener = trunk.get_submodule(parts.layers), _Listener()
        self._layer, layers[0] = layers[0], self._listener
        self._norm = trunk.get_submodule(parts.norm)
        setattr(trunk, parts.norm, nn.Identity())
        for norm in (*self._layer.children(), self._norm):  # those that read hidden states
            for epsilon in EPSILONS & vars(norm).keys():
                setattr(norm, epsilon, getattr(norm, epsilon) * scale**2)
        self._shapes = {name: parameter.shape for name, parameter in self._layer.named_parameters()}
        zero = torch.zeros((), device=device, dtype=dtype)
        self._nothing = tuple(zero.expand(trunk.get_parameter(name).shape) for name in parts.embedding)
        self._length = 0
        self._given: Given = ((), {})  # to the layer beside hidden states, in rows of that length

    def begin(self, embedding: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """What the layer would be given first."""
        lent = dict(zip(self._names, embedding, strict=True))
        result: Tensor = functional_call(self._trunk, lent, (tokens,)).last_hidden_state
        return result

    def layer(self, parameters: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        """The layer with these parameters."""
        self._check(parameters)
        if hidden.shape[1] != self._length:
            self._listen(hidden.shape[1])
        arguments, options = self._given
        result: Tensor = functional_call(self._layer, dict(parameters), (hidden, *arguments), options)
        return result

    def normed(self, norm: tuple[Tensor, ...], hidden: Tensor) -> Tensor:
        """The final norm with these parameters."""
        names = [name for name, _ in self._norm.named_parameters()]
        result: Tensor = functional_call(self._norm, dict(zip(names, norm, strict=True)), (hidden,))
        return result

    def _listen(self, length: int) -> None:
        """Note what the layer is given with rows of this length; it is the same for every row."""
        self.begin(self._nothing, torch.zeros(1, length, dtype=torch.long, device=self._nothing[0].device))
        self._length, self._given = length, self._listener.given

    def _check(self, parameters: Mapping[str, Tensor]) -> None:
        shapes = {name: tensor.shape for name, tensor in parameters.items()}
        if shapes == self._shapes:
            return
        name = min(name for name in {*shapes, *self._shapes} if shapes.get(name) != self._shapes.get(name))
        wanted, given = (tuple(found[name]) if name in found else "none" for found in (self._shapes, shapes))
        raise CheckpointError(f"layer: {name} as the host's config describes it, {wanted}, got {given}")


class _Listener(nn.Module):
    """Stands where the layer stood, passes hidden states on, and remembers what else it was given."""

    def forward(self, hidden: Tensor, *arguments: Any, **options: Any) -> Tensor:
        self.given = arguments, options
        return hidden
