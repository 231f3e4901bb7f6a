"""Nothing is asked twice: what is known already is changed until it is new."""

from __future__ import annotations

import numpy as np

from agents.moves import mutate
from agents.rivals.genomes import Genomes
from envs.space import Ints, StackSpace

STEPS = 30  # of a walk away from what is taken


def fresh(space: StackSpace, genomes: Genomes, rows: Ints, taken: set[bytes], rng: np.random.Generator) -> Ints:
    """(n, G) rows; those that are taken, or equal one above, some legal changes away, where that leads to any new one.

    Args:
        space: What is legal.
        genomes: Of the space.
        rows: (n, G) of legal stacks.
        taken: Bytes of genomes that are not new; what is returned joins them.
        rng: Of the changes.
    """
    result = rows.copy()
    for number, row in enumerate(rows):
        if bytes(row) in taken:
            result[number] = _walk(space, genomes, row, taken, rng)
        taken.add(bytes(result[number]))
    return result


def _walk(space: StackSpace, genomes: Genomes, row: Ints, taken: set[bytes], rng: np.random.Generator) -> Ints:
    (stack,) = genomes.decode(row[None])
    for _ in range(STEPS):
        stack = mutate(space, stack, rng) or stack
        changed = genomes.encode([stack])
        if bytes(changed[0]) not in taken:
            return changed
    return row
