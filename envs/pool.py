"""The pool: which layers exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from hm3.errors import ConfigurationError
from hm3.recipe import Recipe, Source


class Conditioned(Protocol):
    """A source that follows each episode's preference."""

    @property
    def name(self) -> str:
        """What it is called, whatever its weights."""
        ...

    def __call__(self, weights: Sequence[float]) -> Source:
        """The source of that name for a preference's weights (K,) on the objectives."""
        ...


@dataclass(frozen=True)
class Pool:
    """The sources whose layers may be stacked, and how many layers each has.

    Attributes:
        sources: The sources, merged ones too; names are unique.
        depths: Number of layers of each source, same order; sources may differ.
        conditioned: What gives one of the sources, always of the same name, other weights for every preference;
            `sources` has the one for equal weights.
    """

    sources: tuple[Source, ...]
    depths: tuple[int, ...]
    conditioned: Conditioned | None = None

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
        if self.conditioned is not None and self.conditioned.name not in self.names:
            raise ConfigurationError(f"pool.conditioned: of {', '.join(self.names)}, got {self.conditioned.name}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The sources' names, in order."""
        return tuple(source.name for source in self.sources)

    def conditioned_on(self, weights: Sequence[float]) -> Source | None:
        """The source that follows a preference (K,); None where there is none, or no preference (K = 0)."""
        return self.conditioned(weights) if self.conditioned is not None and len(weights) else None

    def identities(self) -> list[Recipe]:
        """The recipes that rebuild each source itself, in order."""
        return [Recipe.identity(source, depth) for source, depth in zip(self.sources, self.depths, strict=True)]
