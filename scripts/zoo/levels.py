"""A difficulty level: a finite, enumerable space of items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from random import Random
from typing import Any


@dataclass(frozen=True)
class Draft:
    """What an item says, before it is given an identity.

    Attributes:
        prompt: the question; it never ends in white space.
        answer: the only accepted answer; it ends in a newline.
        arguments: the names that a program of the answer may use (code only).
        assertions: statements about `f`, the answer as a function of `arguments` (code only).
    """

    prompt: str
    answer: str
    arguments: tuple[str, ...] = ()
    assertions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Level:
    """All items that arise when one value is taken from every axis.

    Attributes:
        name: what the items call their difficulty.
        share: the level's weight within its task; any positive number.
        axes: the choices, each with its values.
        write: makes the item of one value per axis; different values give different prompts.
    """

    name: str
    share: float
    axes: tuple[Sequence[Any], ...]
    write: Callable[..., Draft]

    @property
    def size(self) -> int:
        """The number of items of the level."""
        return prod(len(axis) for axis in self.axes)

    def draft(self, index: int) -> Draft:
        """Return the item number `index`, counted from 0.

        Raises:
            IndexError: if there is no such item.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"{self.name} has {self.size} items, not a number {index}")
        values = []
        for axis in reversed(self.axes):
            index, position = divmod(index, len(axis))
            values.append(axis[position])
        return self.write(*reversed(values))

    def sample(self, random: Random) -> Draft:
        """Draw one item, all alike likely."""
        return self.draft(random.randrange(self.size))
