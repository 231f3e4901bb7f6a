"""What a searcher was asked and told, in order: all that it takes to bring it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents.moves import Stack


class Told(NamedTuple):
    """A stack that was judged.

    Attributes:
        stack: Its layers and host.
        values: (K,) raw scores.
        valid: False where the model gave none.
    """

    stack: Stack
    values: tuple[float, ...]
    valid: bool


@dataclass
class Journal:
    """Of a search that follows from its seed and from this.

    Attributes:
        seed: Of the searcher.
        entries: How many were asked for, or what was told.
    """

    seed: int
    entries: list[int | Sequence[Told]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The journal as a JSON value."""
        return {"seed": self.seed, "entries": self.entries}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Journal:
        """Read what `to_json` wrote."""
        return cls(value["seed"], [entry if isinstance(entry, int) else _told(entry) for entry in value["entries"]])


def _told(entry: Sequence[Any]) -> list[Told]:
    return [Told((layers, host), tuple(values), valid) for (layers, host), values, valid in entry]
