"""The layer bank: the weights of all sources, resident and shared by every stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints import SourceModel
from hm3.checkpoints.vocabulary import shared_rows
from hm3.errors import CheckpointError
from hm3.layers.conditioned import Conditions
from hm3.layers.families import Family
from hm3.layers.forward import Ending, Forward, TakesTerms, Weights
from hm3.layers.reading import Reader
from hm3.layers.resident import Resident


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
        self._sources: dict[str, Reader] = {}
        self._conditions: dict[str, Conditions] = {}
        self._resident = Resident(budget)

    def add(self, digest: str, checkpoint: SourceModel) -> None:
        """Make a source known under `digest`, which is its recipe digest: for merged sources, the specification's."""
        self._sources[digest] = Reader.of(checkpoint, self.device, self.dtype)

    def tune(self, digest: str, checkpoint: SourceModel, conditions: Conditions) -> None:
        """Make a source known that is another with low-rank terms on matrices of its layers.

        It holds nothing: weights are the other's, and factors serve all sources that have them. Where a family's
        forward takes no terms, layers are read with the terms in them, for every use anew.

        Args:
            digest: Its recipe digest.
            checkpoint: Its own tensors, with the terms in them.
            conditions: What makes it of the other, which must be known whenever this one is used.
        """
        self.add(digest, checkpoint)
        self._conditions[digest] = conditions

    def drop(self, digest: str) -> None:
        """Forget a source and free its weights."""
        self._sources.pop(digest, None)
        self._conditions.pop(digest, None)
        self._resident.drop(digest)

    def __contains__(self, digest: str) -> bool:
        return digest in self._sources

    @property
    def bytes(self) -> int:
        """Bytes of what is resident."""
        return self._resident.bytes

    def home(self, digest: str) -> str:
        """The source whose embedding, final norm, head and scalars a source has: its own, unless it is tuned."""
        return self._conditions[digest].home if digest in self._conditions else digest

    def config(self, digest: str) -> Mapping[str, Any]:
        """The source's ``config.json``."""
        return self._source(digest).checkpoint.config

    def checkpoint(self, digest: str) -> SourceModel:
        """The checkpoint that the source's weights come from."""
        return self._source(digest).checkpoint

    def family(self, digest: str) -> Family:
        """The source's row in the table of families."""
        return self._source(digest).family

    def forward(self, digest: str, length: int) -> Forward:
        """The forward at the scalars of host `digest`, for rows of up to `length` tokens."""
        return self._source(digest).forward(length)

    def layer(self, digest: str, index: int) -> Weights:
        """The weights of one decoder layer."""
        weights: Weights = self._tuned(digest, index) if digest in self._conditions else self._layer(digest, index)
        return weights

    def tensors(self, digest: str, index: int) -> dict[str, Tensor]:
        """One layer's parameters by the names of transformers' own layer, as they are in the source's file.

        They are the bank's own tensors; those of a tuned source are made.
        """
        return (
            self._source(digest).layer(index) if digest in self._conditions else self.layer(digest, index)
        ).tensors()

    def embedding(self, digest: str) -> tuple[Tensor, ...]:
        """What comes before the layers, as the family's row lists it; first the embedding, (vocabulary, width)."""
        home = self.home(digest)
        embedding: tuple[Tensor, ...] = self._resident.get((home, "embedding"), self._source(home).embedding)
        return embedding

    def ending(self, digest: str, beside: str | None = None) -> Ending:
        """Final norm and output head; a tied head is the embedding itself.

        Args:
            digest: The head host.
            beside: The embedding host: the head then has only the rows that both have.
        """
        home = self.home(digest)
        ending: Ending = self._resident.get((home, "ending"), lambda: self._read_ending(home))
        if beside is None or beside == digest:
            return ending
        rows = shared_rows(self.checkpoint(beside), self.checkpoint(digest))
        return ending._replace(head=ending.head[:rows])

    def _source(self, digest: str) -> Reader:
        if digest not in self._sources:
            raise CheckpointError(f"recipe source: must be one of the loaded sources, got digest {digest[:12]}")
        return self._sources[digest]

    def _layer(self, digest: str, index: int) -> Any:
        source = self._source(digest)
        return self._resident.get((digest, index), lambda: source.layer(index))

    def _tuned(self, digest: str, index: int) -> Any:
        conditions, source = self._conditions[digest], self._source(digest)
        if not source.family.takes_terms:
            return source.layer(index)
        layer: TakesTerms = self._layer(conditions.home, index)
        part = conditions.factors, index
        terms = self._resident.get(part, lambda: layer.pack_terms(source.terms(index, conditions)))
        return layer.plus(terms, conditions.weights)

    def _read_ending(self, digest: str) -> Ending:
        source = self._source(digest)
        head = source.head()
        return Ending(source.norm(), self.embedding(digest)[0] if head is None else head)
