"""Small changes of a stack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from envs.space import StackSpace

Stack = tuple[list[int], int]
"""Layer actions, and the host's number from 1 (0 where hosts follow)."""

Move = Callable[[StackSpace, Stack, np.random.Generator], Stack]
"""A changed copy of a stack, not always a legal one."""


def replace_layer(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """Another layer in one place."""
    layers, host = stack
    place = int(rng.integers(len(layers)))
    return [*layers[:place], int(rng.integers(space.stop)), *layers[place + 1 :]], host


def insert_layer(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """One layer more."""
    layers, host = stack
    place = int(rng.integers(len(layers) + 1))
    return [*layers[:place], int(rng.integers(space.stop)), *layers[place:]], host


def delete_layer(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """One layer less."""
    layers, host = stack
    place = int(rng.integers(len(layers)))
    return layers[:place] + layers[place + 1 :], host


def swap_source(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """The layers of a block from one source, same indices."""
    layers, host = stack
    first, last = sorted(rng.integers(len(layers) + 1, size=2).tolist())
    source = int(rng.integers(space.sources))
    block = [source * space.layers + layer % space.layers for layer in layers[first:last]]
    return [*layers[:first], *block, *layers[last:]], host


def change_source(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """One layer from another source, same index."""
    layers, host = stack
    place = int(rng.integers(len(layers)))
    source = int(rng.integers(space.sources))
    return [*layers[:place], source * space.layers + layers[place] % space.layers, *layers[place + 1 :]], host


def change_host(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """Another host, where hosts are searched."""
    layers, host = stack
    return layers, int(1 + rng.integers(space.sources)) if space.picks_host else host


MOVES: tuple[Move, ...] = (replace_layer, insert_layer, delete_layer, swap_source, change_source, change_host)


def mutate(
    space: StackSpace, stack: Stack, rng: np.random.Generator, move: int | None = None, tries: int = 50
) -> Stack | None:
    """A legal neighbour that differs from `stack`, by a move (its place in `MOVES`) or a random one; None if none."""
    for _ in range(tries):
        chosen = int(rng.integers(len(MOVES))) if move is None else move
        changed = MOVES[chosen](space, stack, rng)
        if changed != stack and space.allows(changed[0]):
            return changed
    return None


def cross(space: StackSpace, first: Stack, second: Stack, rng: np.random.Generator, tries: int = 10) -> Stack | None:
    """A legal stack that begins as one and ends as the other, cut at one place; None if no try found one.

    The host is that of either, by chance.
    """
    for _ in range(tries):
        cut = int(rng.integers(1, max(2, min(len(first[0]), len(second[0])))))
        layers = first[0][:cut] + second[0][cut:]
        host = (first, second)[int(rng.integers(2))][1]
        if (layers, host) not in (first, second) and space.allows(layers):
            return layers, host
    return None
