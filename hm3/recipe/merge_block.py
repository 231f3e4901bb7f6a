"""Blocks of layers that a merge treats in their own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hm3.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class MergeBlock:
    """From a layer on, a merge's weights and settings change to these.

    Attributes:
        first: The first layer of the block, from 1; it ends before the next block.
        weights: One weight for each parent.
        settings: The method's settings but the seed, sorted by name.
    """

    first: int
    weights: tuple[float, ...]
    settings: tuple[tuple[str, float | int | str | bool], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The block as a JSON value; `from_json` reads it back."""
        return {"first": self.first, "weights": list(self.weights), "settings": dict(self.settings)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MergeBlock:
        """Read what `to_json` wrote."""
        return cls(value["first"], tuple(value["weights"]), tuple(sorted(value["settings"].items())))


def check_blocks(blocks: Sequence[MergeBlock], parents: int) -> None:
    """Refuse blocks that are out of order, or that have not one weight for each of the `parents`.

    Raises:
        ConfigurationError: They are or have.
    """
    firsts = [block.first for block in blocks]
    if any(type(first) is not int for first in firsts) or sorted({0, *firsts}) != [0, *firsts]:
        raise ConfigurationError(f"merge blocks: first layers above 0, each above the one before, got {firsts}")
    for block in blocks:
        if len(block.weights) != parents:
            raise ConfigurationError(
                f"merge block from layer {block.first}: one weight for each parent, {parents} in all, "
                f"got {len(block.weights)}"
            )
