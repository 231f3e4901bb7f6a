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


def change_host(space: StackSpace, stack: Stack, rng: np.random.Generator) -> Stack:
    """Another host, where hosts are searched."""
    layers, host = stack
    return layers, int(1 + rng.integers(space.sources)) if space.picks_host else host


MOVES: tuple[Move, ...] = (replace_layer, insert_layer, delete_layer, swap_source, change_host)


def mutate(space: StackSpace, stack: Stack, rng: np.random.Generator, tries: int = 50) -> Stack | None:
    """A legal neighbour that differs from `stack`, by one random move; None if no try found one."""
    for _ in range(tries):
        changed = MOVES[int(rng.integers(len(MOVES)))](space, stack, rng)
        if changed != stack and space.allows(changed[0]):
            return changed
    return None
