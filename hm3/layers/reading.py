"""One source's parts, read in the forms in which its family's forward uses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.checkpoints import SourceModel
from hm3.errors import CheckpointError
from hm3.layers.conditioned import ConditionedTerm, Conditions
from hm3.layers.families import Family, family_of
from hm3.layers.forward import Forward, Weights


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a source.

    Attributes:
        checkpoint: Where its weights come from.
        family: Its row in the table of families.
        device: Where they go.
        dtype: What they are converted to.
    """

    checkpoint: SourceModel
    family: Family
    device: torch.device
    dtype: torch.dtype

    @classmethod
    def of(cls, checkpoint: SourceModel, device: torch.device, dtype: torch.dtype) -> Reader:
        """Of a source of any family.

        Raises:
            CheckpointError: The family has no row, or the config a setting that the row doesn't cover.
        """
        return cls(checkpoint, family_of(checkpoint.name, checkpoint.config), device, dtype)

    def forward(self, length: int) -> Forward:
        """The forward at its scalars, for rows of up to `length` tokens."""
        with self._named():
            return self.family.forward(self.checkpoint.config, length, self.device, self.dtype)

    def layer(self, index: int) -> Weights:
        """The weights of one decoder layer.

        Raises:
            CheckpointError: There is none of this index, or it is no layer of its family.
        """
        prefix = self.family.layer_prefix(index)
        tensors = {name.removeprefix(prefix): self._read(name) for name in self._names(index)}
        with self._named():
            return self.family.weights(tensors, self.family.kind(self.checkpoint.config, index))

    def terms(self, index: int, conditions: Conditions) -> dict[str, ConditionedTerm]:
        """What is added to the matrices of one layer, by their names after the layer's prefix.

        Args:
            index: Of the layer.
            conditions: They have the terms.

        Raises:
            CheckpointError: There is no layer of this index.
        """
        prefix = self.family.layer_prefix(index)
        found = ((name, conditions.terms(name)) for name in self._names(index))
        return {name.removeprefix(prefix): term.to(self.device, self.dtype) for name, term in found if term is not None}

    def embedding(self) -> tuple[Tensor, ...]:
        """What comes before the layers, as the family's row lists it."""
        return tuple(map(self._read, self.family.embedding))

    def norm(self) -> tuple[Tensor, ...]:
        """The final norm's tensors, as the family's row lists them."""
        return tuple(map(self._read, self.family.norm))

    def head(self) -> Tensor | None:
        """(vocabulary, width), or None where it is the embedding."""
        return self._read(self.family.head) if self.family.head in self.checkpoint.tensor_names else None

    def _read(self, name: str) -> Tensor:
        return self.checkpoint.tensor(name).to(device=self.device, dtype=self.dtype)

    def _names(self, index: int) -> list[str]:
        names = self.family.layer_names(self.checkpoint.tensor_names, index)
        if not names:
            raise CheckpointError(
                f"source {self.checkpoint.name}: layers are 0 to {self.checkpoint.depth - 1}, got {index}"
            )
        return names

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Refusals of a config or of tensors name the source that they came from."""
        try:
            yield
        except CheckpointError as error:
            raise CheckpointError(f"source {self.checkpoint.name}: {error}") from error
