"""A model as a stack of layers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from hm3.errors import ConfigurationError
from hm3.recipe.digests import digest_of
from hm3.recipe.sources import Source

FORMAT = 1  # of the JSON form; a reader refuses what it does not know


@dataclass(frozen=True, slots=True, order=True)
class LayerRef:
    """One decoder block: layer `layer` (from 0) of the source called `source`."""

    source: str
    layer: int

    def __str__(self) -> str:
        return f"{self.source}:{self.layer}"


class Content(NamedTuple):
    """A stack by its sources' digests: embedding host, (source, layer) pairs, head host, seam rule."""

    embedding: str
    path: tuple[tuple[str, int], ...]
    head: str
    seam: str


@dataclass(frozen=True)
class Recipe:
    """A model as a stack of layers.

    Attributes:
        path: The layers, first to last; any order, repeats allowed.
        embedding_host: Name of the source of the embedding, the tokenizer and the config's scalars.
        head_host: Name of the source of the final norm and the head.
        sources: The sources that path and hosts name, sorted by name, each once.
        seam: ``none``, which leaves the residual stream alone, or a rule at seams and the digest of what it was
            fitted on, ``RULE:DIGEST``; with these, a seam's two sides decide what happens there.
    """

    path: tuple[LayerRef, ...]
    embedding_host: str
    head_host: str
    sources: tuple[Source, ...]
    seam: str = "none"

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigurationError("recipe.path: at least one layer, got none")
        named = {ref.source for ref in self.path} | {self.embedding_host, self.head_host}
        known = [source.name for source in self.sources]
        if sorted(named) != known:
            raise ConfigurationError(f"recipe.sources: exactly the sources used {sorted(named)}, got {known}")

    @classmethod
    def build(
        cls,
        path: Iterable[LayerRef],
        embedding_host: str,
        head_host: str,
        sources: Mapping[str, Source],
        seam: str = "none",
    ) -> Recipe:
        """A recipe that keeps, of all `sources` (by name), the ones it uses."""
        path = tuple(path)
        named = sorted({ref.source for ref in path} | {embedding_host, head_host})
        return cls(path, embedding_host, head_host, tuple(sources[name] for name in named), seam)

    @classmethod
    def identity(cls, source: Source, depth: int) -> Recipe:
        """The recipe that rebuilds `source` itself, which has `depth` layers."""
        path = (LayerRef(source.name, layer) for layer in range(depth))
        return cls.build(path, source.name, source.name, {source.name: source})

    def with_origins(self, origins: Mapping[str, str | None]) -> Recipe:
        """The same recipe with `origins` (by name) of the sources that don't say where they can be found."""
        sources = (
            replace(source, origin=source.origin or (None if source.merge else origins[source.name]))
            for source in self.sources
        )
        return replace(self, sources=tuple(sources))

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.path)

    @property
    def seams(self) -> tuple[int, ...]:
        """Positions whose layer did not follow its predecessor in one source (by content)."""
        pairs = itertools.pairwise(self.content.path)
        return tuple(i for i, ((a, la), (b, lb)) in enumerate(pairs, start=1) if (b, lb) != (a, la + 1))

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {source.name: source.digest for source in self.sources}

    @cached_property
    def content(self) -> Content:
        """The stack by digests: what decides its scores, whatever the sources are called."""
        return Content(
            embedding=self._digests[self.embedding_host],
            path=tuple((self._digests[ref.source], ref.layer) for ref in self.path),
            head=self._digests[self.head_host],
            seam=self.seam,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content. It names the model."""
        return digest_of(list(self.content))

    def to_json(self) -> dict[str, Any]:
        """The recipe as a JSON value; `from_json` reads it back."""
        return {
            "format": FORMAT,
            "digest": self.digest,
            "path": [[ref.source, ref.layer] for ref in self.path],
            "embedding_host": self.embedding_host,
            "head_host": self.head_host,
            "seam": self.seam,
            "sources": [source.to_json() for source in self.sources],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """Read what `to_json` wrote.

        Raises:
            ConfigurationError: Of another format, or something is missing, or the digest does not fit the content.
        """
        if not isinstance(value, Mapping) or value.get("format") != FORMAT:
            came = value.get("format") if isinstance(value, Mapping) else value
            raise ConfigurationError(f"recipe.format: this version reads {FORMAT}, got {repr(came)[:40]}")
        try:
            recipe, digest = _recipe(value), str(value["digest"])
            fits = recipe.digest == digest
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigurationError(f"recipe: as HM3 writes it, got one with {_damage(error)}") from error
        if not fits:
            raise ConfigurationError(f"recipe.digest: must fit the content, {recipe.digest[:12]}, got {digest[:12]!r}")
        return recipe


def _recipe(value: Mapping[str, Any]) -> Recipe:
    """The recipe of a JSON value whose types nobody has looked at."""
    recipe = Recipe(
        path=tuple(LayerRef(source, layer) for source, layer in value["path"]),
        embedding_host=value["embedding_host"],
        head_host=value["head_host"],
        sources=tuple(Source.from_json(source) for source in value["sources"]),
        seam=value["seam"],
    )
    texts = [recipe.seam]
    for source in (each for used in recipe.sources for each in (used, *used.given)):
        texts += [source.name, source.digest, source.origin or ""]
    if not all(isinstance(text, str) for text in texts) or not all(type(ref.layer) is int for ref in recipe.path):
        raise TypeError("a name that is no text or a layer that is no integer")
    return recipe


def _damage(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)
