"""Sources: models whose layers may be used, given or merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hm3.errors import ConfigurationError
from hm3.recipe.digests import digest_of
from hm3.recipe.merge_block import MergeBlock, check_blocks


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """How a merged source is made: a merge method over parents, with one weight for each.

    Attributes:
        method: Name of the merge method, e.g. ``dare_ties``.
        base: The base source, or None for methods that need none.
        parents: The sources that are merged, in order.
        weights: One weight for each parent.
        settings: Further settings of the method, sorted by name (density, seed, ...).
        blocks: Where weights and settings change on the way up. The merge's own hold for the embedding and the layers
            before the first block; the last block's hold for the final norm and the head, too.
    """

    method: str
    base: Source | None
    parents: tuple[Source, ...]
    weights: tuple[float, ...]
    settings: tuple[tuple[str, float | int | str | bool], ...] = ()
    blocks: tuple[MergeBlock, ...] = ()

    def __post_init__(self) -> None:
        check_blocks(self.blocks, len(self.parents))
        if len(self.parents) != len(self.weights):
            raise ConfigurationError(
                f"merge weights: one for each parent, {len(self.parents)} in all, got {len(self.weights)}"
            )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The base, where there is one, and the parents."""
        return (self.base, *self.parents) if self.base else self.parents

    @property
    def parts(self) -> tuple[tuple[int, MergeSpec], ...]:
        """(first layer, merge without blocks) for each run of layers with weights and settings of its own."""
        if not self.blocks:
            return ((0, self),)
        own = ((0, self.weights, self.settings), *((each.first, each.weights, each.settings) for each in self.blocks))
        return tuple(
            (first, replace(self, weights=weights, settings=settings, blocks=())) for first, weights, settings in own
        )

    @property
    def digest(self) -> str:
        """Digest of the merge's content: the parents' digests, not their names."""
        content = {
            "method": self.method,
            "base": self.base and self.base.digest,
            "parents": [parent.digest for parent in self.parents],
            "weights": list(self.weights),
            "settings": [list(setting) for setting in self.settings],
        }
        return digest_of(content | self._blocks())

    def to_json(self) -> dict[str, Any]:
        """The spec as a JSON value; `from_json` reads it back."""
        value = {
            "method": self.method,
            "base": self.base and self.base.to_json(),
            "parents": [parent.to_json() for parent in self.parents],
            "weights": list(self.weights),
            "settings": dict(self.settings),
        }
        return value | self._blocks()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MergeSpec:
        """Read what `to_json` wrote."""
        return cls(
            method=value["method"],
            base=value["base"] and Source.from_json(value["base"]),
            parents=tuple(Source.from_json(parent) for parent in value["parents"]),
            weights=tuple(value["weights"]),
            settings=tuple(sorted(value["settings"].items())),
            blocks=tuple(map(MergeBlock.from_json, value.get("blocks", ()))),
        )

    def _blocks(self) -> dict[str, Any]:
        """Nothing without blocks: digests and files are those of a time without them."""
        return {"blocks": [block.to_json() for block in self.blocks]} if self.blocks else {}


@dataclass(frozen=True, slots=True)
class Source:
    """A model whose layers may be used.

    Attributes:
        name: What people call it.
        digest: Of its content; of a merged source, of its merge.
        merge: How it was merged, if it was.
        origin: Where it can be found again: an absolute folder, ``zoo:NAME``, ``org/name@COMMIT`` on the Hub, or
            ``ADAPTER on BASE``. None for merged sources, and where nobody said. It is no part of what a source is:
            sources that differ in it alone are equal.
    """

    name: str
    digest: str
    merge: MergeSpec | None = None
    origin: str | None = field(default=None, compare=False)

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

    @property
    def given(self) -> tuple[Source, ...]:
        """The sources that nobody can build, only find: itself, or everything that its merge is made of."""
        return (self,) if self.merge is None else tuple(each for parent in self.merge.sources for each in parent.given)

    def to_json(self) -> dict[str, Any]:
        """The source as a JSON value; `from_json` reads it back."""
        value = {"name": self.name, "digest": self.digest, "merge": self.merge and self.merge.to_json()}
        return value if self.origin is None else value | {"origin": self.origin}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Source:
        """Read what `to_json` wrote."""
        merge = value["merge"] and MergeSpec.from_json(value["merge"])
        return cls(value["name"], value["digest"], merge, value.get("origin"))
