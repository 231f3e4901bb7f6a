"""The layer bank: the weights of all sources, resident and shared by every stack."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.vocabulary import shared_rows
from hm3.errors import CheckpointError
from hm3.layers.families import Family, family_of
from hm3.layers.forward import Ending, Forward, Weights

Part = tuple[str, str | int]  # (source digest, layer index or "embedding" or "ending")


class LayerBank:
    """Layers, embeddings and heads of sources, by the source's digest.

    Nothing is read before it is used. What has been read stays, up to `budget` bytes; beyond it the least recently
    used parts are given up and read again from the mapped file when they are next used.

    Args:
        device: Where the weights live.
        dtype: Their type; sources are converted on reading.
        budget: Bytes that may stay resident, or None for all.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, budget: int | None = None) -> None:
        self.device = device
        self.dtype = dtype
        self._budget = budget
        self._sources: dict[str, tuple[Checkpoint, Family]] = {}
        self._parts: OrderedDict[Part, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def add(self, digest: str, checkpoint: Checkpoint) -> None:
        """Make a source known under `digest`, which is its recipe digest: for merged sources, the specification's."""
        self._sources[digest] = (checkpoint, family_of(checkpoint.name, checkpoint.config))

    def drop(self, digest: str) -> None:
        """Forget a source and free its weights."""
        self._sources.pop(digest, None)
        for part in [part for part in self._parts if part[0] == digest]:
            self._forget(part)

    def __contains__(self, digest: str) -> bool:
        return digest in self._sources

    def config(self, digest: str) -> Mapping[str, Any]:
        """The source's ``config.json``."""
        return self._source(digest)[0].config

    def checkpoint(self, digest: str) -> Checkpoint:
        """The checkpoint that the source's weights come from."""
        return self._source(digest)[0]

    def family(self, digest: str) -> Family:
        """The source's row in the table of families."""
        return self._source(digest)[1]

    def forward(self, digest: str, length: int) -> Forward:
        """The forward at the scalars of host `digest`, for rows of up to `length` tokens."""
        checkpoint, family = self._source(digest)
        with _named(checkpoint):
            return family.forward(checkpoint.config, length, self.device, self.dtype)

    def layer(self, digest: str, index: int) -> Weights:
        """The weights of one decoder layer."""
        weights: Weights = self._part((digest, index), lambda: self._read_layer(digest, index))
        return weights

    def embedding(self, digest: str) -> tuple[Tensor, ...]:
        """What comes before the layers, as the family's row lists it; first the embedding, (vocabulary, width)."""
        embedding: tuple[Tensor, ...] = self._part((digest, "embedding"), lambda: self._read_embedding(digest))
        return embedding

    def ending(self, digest: str, beside: str | None = None) -> Ending:
        """Final norm and output head; a tied head is the embedding itself.

        Args:
            digest: The head host.
            beside: The embedding host: the head then has only the rows that both have.
        """
        ending: Ending = self._part((digest, "ending"), lambda: self._read_ending(digest))
        if beside is None or beside == digest:
            return ending
        rows = shared_rows(self.checkpoint(beside), self.checkpoint(digest))
        return ending._replace(head=ending.head[:rows])

    def _source(self, digest: str) -> tuple[Checkpoint, Family]:
        if digest not in self._sources:
            raise CheckpointError(f"recipe source: must be one of the loaded sources, got digest {digest[:12]}")
        return self._sources[digest]

    def _part(self, part: Part, read: Callable[[], Any]) -> Any:
        if part in self._parts:
            self._parts.move_to_end(part)
            return self._parts[part][0]
        with torch.inference_mode(False):  # whoever reads them first: others may run them in another mode
            value = read()
        size = _bytes_of(value)
        self._parts[part] = (value, size)
        self._bytes += size
        while self._budget is not None and self._bytes > self._budget and len(self._parts) > 1:
            self._forget(next(iter(self._parts)))
        return value

    def _forget(self, part: Part) -> None:
        _, size = self._parts.pop(part)
        self._bytes -= size

    def _read(self, checkpoint: Checkpoint, name: str) -> Tensor:
        return checkpoint.tensor(name).to(device=self.device, dtype=self.dtype)

    def _read_layer(self, digest: str, index: int) -> Weights:
        checkpoint, family = self._source(digest)
        prefix = family.layer_prefix(index)
        names = family.layer_names(checkpoint.tensor_names, index)
        if not names:
            raise CheckpointError(f"source {checkpoint.name}: layers are 0 to {checkpoint.depth - 1}, got {index}")
        tensors = {name.removeprefix(prefix): self._read(checkpoint, name) for name in names}
        with _named(checkpoint):
            return family.weights(tensors, family.kind(checkpoint.config, index))

    def _read_embedding(self, digest: str) -> tuple[Tensor, ...]:
        checkpoint, family = self._source(digest)
        return tuple(self._read(checkpoint, name) for name in family.embedding)

    def _read_ending(self, digest: str) -> Ending:
        checkpoint, family = self._source(digest)
        tied = family.head not in checkpoint.tensor_names
        head = self.embedding(digest)[0] if tied else self._read(checkpoint, family.head)
        return Ending(tuple(self._read(checkpoint, name) for name in family.norm), head)


@contextmanager
def _named(checkpoint: Checkpoint) -> Iterator[None]:
    """Refusals of a config or of tensors name the source that they came from."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"source {checkpoint.name}: {error}") from error


def _bytes_of(value: Tensor | tuple[Any, ...] | Weights) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    parts = value if isinstance(value, tuple) else value.tensors().values()
    return sum(_bytes_of(part) for part in parts)
