"""The parameter level: what it is given, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hm3.recipe import Source


@dataclass(frozen=True, slots=True)
class Expert:
    """A fine-tuned source and what it is for.

    Attributes:
        source: The model.
        objectives: The objectives whose weight it takes over. Without any, it takes part in the architecture level
            only, unless it has a `weight`.
        weight: A share of its own in every merge, beside those of the objectives, which sum to 1.
    """

    source: Source
    objectives: tuple[str, ...] = ()
    weight: float = 0.0


class ParameterLevel(Protocol):
    """Turns preferences into further sources."""

    def __call__(self, base: Source, experts: Sequence[Expert], objectives: Sequence[str]) -> list[Source]:
        """The merged sources to add; their names differ from each other and from the ones given."""
        ...


class NoMerge:
    """No merged source: the architecture level works on the given models alone."""

    def __call__(self, base: Source, experts: Sequence[Expert], objectives: Sequence[str]) -> list[Source]:
        """Nothing."""
        return []
