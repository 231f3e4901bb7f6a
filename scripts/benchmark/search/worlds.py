"""A kept table as a contest needs it: space, evaluator, truth, and the two rods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.space import StackSpace
from hm3.archive import below_nadir, hypervolume
from hm3.objectives import Array, Normaliser
from hm3.tabulated import TabulatedEvaluator, Truth, table_space
from scripts.benchmark.tabulate.tables import kept_table

RODS = ("nadir", "zero")
"""Where hypervolume is measured from: a tenth of the front's extent below its nadir, and from scores of zero.

From zero most of the volume lies below any good source; only the first tells methods apart."""


@dataclass(frozen=True, eq=False)
class World:
    """All stacks of a table, and what is known of them.

    Attributes:
        space: Same-index stacks, hosts of the path's two ends.
        evaluator: Looks scores up.
        normaliser: 1 is the best source.
        truth: Of the table.
        references: (K,) reference point of each rod.
        volumes: Of the true front, from each.
    """

    space: StackSpace
    evaluator: TabulatedEvaluator
    normaliser: Normaliser
    truth: Truth
    references: Mapping[str, Array]
    volumes: Mapping[str, float]

    def shares(self, front: Array) -> dict[str, float]:
        """The part of the true hypervolume that some points (N, K) have, from each reference."""
        return {rod: hypervolume(front, self.references[rod]) / self.volumes[rod] for rod in RODS}


@cache
def world(name: str) -> World:
    """That of table ``a`` or ``b``; opened once in a process."""
    table = kept_table(name)
    evaluator, truth = TabulatedEvaluator(table), Truth.of(table)
    front = truth.values[list(truth.front)]
    references = {"nadir": below_nadir(front), "zero": np.zeros(front.shape[1])}
    volumes = {rod: hypervolume(front, references[rod]) for rod in RODS}
    return World(table_space(table), evaluator, evaluator.normaliser(), truth, references, volumes)
