"""Recipes: everything that is needed to build a model, as values. Standard library only.

A recipe speaks of sources by *name* for people and by *digest* for identity: two recipes with the same content have
the same digest, whatever their sources are called and wherever they lie.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from hm3.errors import ConfigurationError

FORMAT = 1  # of the JSON form; a reader refuses what it does not know


def digest_of(value: Any) -> str:
    """SHA-256 (hex) of a JSON value in canonical form: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class LayerRef:
    """One decoder block: layer `layer` (from 0) of the source called `source`."""

    source: str
    layer: int

    def __str__(self) -> str:
        return f"{self.source}:{self.layer}"


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """How a merged source is made: a merge method over parents, with one weight for each.

    Attributes:
        method: Name of the merge method, e.g. ``dare_ties``.
        base: The base source, or None for methods that need none.
        parents: The sources that are merged, in order.
        weights: One weight for each parent.
        settings: Further settings of the method, sorted by name (density, seed, ...).
    """

    method: str
    base: Source | None
    parents: tuple[Source, ...]
    weights: tuple[float, ...]
    settings: tuple[tuple[str, float | int | str | bool], ...] = ()

    def __post_init__(self) -> None:
        if len(self.parents) != len(self.weights):
            raise ConfigurationError(
                f"merge weights: one for each parent, {len(self.parents)} in all, got {len(self.weights)}"
            )

    @property
    def digest(self) -> str:
        """Digest of the merge's content: the parents' digests, not their names."""
        return digest_of(
            {
                "method": self.method,
                "base": self.base and self.base.digest,
                "parents": [parent.digest for parent in self.parents],
                "weights": list(self.weights),
                "settings": [list(setting) for setting in self.settings],
            }
        )

    def to_json(self) -> dict[str, Any]:
        """The spec as a JSON value; `from_json` reads it back."""
        return {
            "method": self.method,
            "base": self.base and self.base.to_json(),
            "parents": [parent.to_json() for parent in self.parents],
            "weights": list(self.weights),
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MergeSpec:
        """Read what `to_json` wrote."""
        return cls(
            method=value["method"],
            base=value["base"] and Source.from_json(value["base"]),
            parents=tuple(Source.from_json(parent) for parent in value["parents"]),
            weights=tuple(value["weights"]),
            settings=tuple(sorted(value["settings"].items())),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A model whose layers may be used: its name, the digest of its content, and how it was merged if it was."""

    name: str
    digest: str
    merge: MergeSpec | None = None

    def __post_init__(self) -> None:
        if self.merge is not None and self.digest != self.merge.digest:
            raise ConfigurationError(
                f"source {self.name}: digest must be that of its merge, {self.merge.digest[:12]},"
                f" got {str(self.digest)[:12]}"
            )

    @classmethod
    def merged(cls, name: str, spec: MergeSpec) -> Source:
        """A source that the parameter level makes: its digest is that of its specification."""
        return cls(name, spec.digest, spec)

    def to_json(self) -> dict[str, Any]:
        """The source as a JSON value; `from_json` reads it back."""
        return {"name": self.name, "digest": self.digest, "merge": self.merge and self.merge.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Source:
        """Read what `to_json` wrote."""
        return cls(value["name"], value["digest"], value["merge"] and MergeSpec.from_json(value["merge"]))


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
        seam: Rule at seams; ``none`` leaves the residual stream alone.
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
        cls, path: Iterable[LayerRef], embedding_host: str, head_host: str, sources: Mapping[str, Source]
    ) -> Recipe:
        """A recipe that keeps, of all `sources` (by name), the ones it uses."""
        path = tuple(path)
        named = sorted({ref.source for ref in path} | {embedding_host, head_host})
        return cls(path, embedding_host, head_host, tuple(sources[name] for name in named))

    @classmethod
    def identity(cls, source: Source, depth: int) -> Recipe:
        """The recipe that rebuilds `source` itself, which has `depth` layers."""
        path = (LayerRef(source.name, layer) for layer in range(depth))
        return cls.build(path, source.name, source.name, {source.name: source})

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
        except (KeyError, TypeError, ValueError, AttributeError) as error:
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
    texts = [recipe.seam, *(text for source in recipe.sources for text in (source.name, source.digest))]
    if not all(isinstance(text, str) for text in texts) or not all(type(ref.layer) is int for ref in recipe.path):
        raise TypeError("a name that is no text or a layer that is no integer")
    return recipe


def _damage(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)
