"""Stacks near those that are known: mutations, several at once, and crossings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.moves import Stack, cross, mutate
from envs.space import StackSpace

TRIES = 6  # for each stack that is asked for
CROSSED = 0.4  # share of the children of two
MORE = 0.4  # how often one change is followed by another


def neighbours(space: StackSpace, front: Sequence[Stack], count: int, rng: np.random.Generator) -> list[Stack]:
    """At most `count` different legal stacks near those of a front; some may be known."""
    found: dict[str, Stack] = {}
    for _ in range(TRIES * count):
        if len(found) >= count:
            break
        if child := _child(space, front, rng):
            found.setdefault(repr(child), child)
    return list(found.values())


def _child(space: StackSpace, front: Sequence[Stack], rng: np.random.Generator) -> Stack | None:
    parent = front[int(rng.integers(len(front)))]
    if rng.random() < CROSSED:
        crossed = cross(space, parent, front[int(rng.integers(len(front)))], rng)
        if crossed is None or rng.random() < MORE:
            return crossed
        parent = crossed
    child = mutate(space, parent, rng)
    while child and rng.random() < MORE:
        child = mutate(space, child, rng)
    return child
