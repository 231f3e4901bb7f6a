"""A layer's parameters by the names of transformers' own modules, which are not always those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.errors import CheckpointError
from hm3.layers.forward import LayerKind


@dataclass(frozen=True, slots=True)
class StockWeights:
    """One layer.

    Attributes:
        parameters: What transformers' layer is given, by name.
        kind: What the layer does otherwise than its neighbours.
    """

    parameters: Mapping[str, Tensor]
    kind: LayerKind

    @classmethod
    def keep(cls, tensors: Mapping[str, Tensor], kind: LayerKind) -> StockWeights:
        """From the tensors of a file that calls them as transformers does."""
        return cls(tensors, kind)

    def tensors(self) -> dict[str, Tensor]:
        """The parameters, as they are."""
        return dict(self.parameters)


@dataclass(frozen=True, slots=True)
class PackedExperts:
    """Packs the experts of a layer, which files keep one by one, into the two blocks that transformers computes with.

    A file that has the blocks already is taken as it is.

    Attributes:
        block: What the file calls ``mlp``.
        gate: What it calls an expert's gate projection.
        up: Its up projection.
        down: Its down projection.
    """

    block: str = "mlp"
    gate: str = "gate_proj"
    up: str = "up_proj"
    down: str = "down_proj"

    def __call__(self, tensors: Mapping[str, Tensor], kind: LayerKind) -> StockWeights:
        """From the tensors by the names that they have in the file after the layer's prefix.

        Raises:
            CheckpointError: An expert lacks a projection.
        """
        rest = dict(tensors)
        experts = [self._expert(rest, expert) for expert in range(self._count(rest))]
        parameters = {self._renamed(name): tensor for name, tensor in rest.items()}
        if experts:
            parameters["mlp.experts.gate_up_proj"] = torch.stack([torch.cat(parts[:2]) for parts in experts])
            parameters["mlp.experts.down_proj"] = torch.stack([down for _, _, down in experts])
        return StockWeights(parameters, kind)

    def _count(self, names: Mapping[str, Tensor]) -> int:
        start = f"{self.block}.experts."
        return len({name.removeprefix(start).split(".")[0] for name in names if name.startswith(start)} - {*_BLOCKS})

    def _expert(self, rest: dict[str, Tensor], expert: int) -> tuple[Tensor, ...]:
        names = [f"{self.block}.experts.{expert}.{part}.weight" for part in (self.gate, self.up, self.down)]
        for name in names:
            if name not in rest:
                raise CheckpointError(f"layer: every projection of every expert, got none of name {name}")
        return tuple(rest.pop(name) for name in names)

    def _renamed(self, name: str) -> str:
        return "mlp" + name.removeprefix(self.block) if name.startswith(f"{self.block}.") else name


_BLOCKS = ("gate_up_proj", "down_proj")
