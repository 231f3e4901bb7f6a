"""The pool: which layers exist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hm3.errors import ConfigurationError
from hm3.recipe import Recipe, Source


@dataclass(frozen=True)
class Pool:
    """The sources whose layers may be stacked, and how many layers each has.

    Attributes:
        sources: The sources, merged ones too; names are unique.
        depths: Number of layers of each source, same order; sources may differ.
    """

    sources: tuple[Source, ...]
    depths: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.sources:
            raise ConfigurationError("pool.sources: at least one, got none")
        if len(set(self.names)) != len(self.names):
            raise ConfigurationError(f"pool.sources: every name once, got {', '.join(self.names)}")
        if len(self.depths) != len(self.sources):
            raise ConfigurationError(
                f"pool.depths: one for each of {len(self.sources)} sources, got {len(self.depths)}"
            )
        if min(self.depths) < 1:
            raise ConfigurationError(f"pool.depths: at least 1 layer each, got {min(self.depths)}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The sources' names, in order."""
        return tuple(source.name for source in self.sources)

    def identities(self) -> list[Recipe]:
        """The recipes that rebuild each source itself, in order."""
        return [Recipe.identity(source, depth) for source, depth in zip(self.sources, self.depths, strict=True)]
