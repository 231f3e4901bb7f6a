"""What nobody can surpass on a table."""

from __future__ import annotations

from dataclasses import dataclass

import moocore
import numpy as np

from hm3.archive import hypervolume
from hm3.objectives import Array, Utility
from hm3.tabulated.evaluator import TabulatedEvaluator
from hm3.tabulated.table import StackTable


@dataclass(frozen=True, eq=False)
class Truth:
    """Of all stacks of a table.

    Attributes:
        values: (N, K) normalised scores.
        front: (F,) numbers of the stacks that no other dominates.
        hypervolume: Of these.
    """

    values: Array
    front: tuple[int, ...]
    hypervolume: float

    @classmethod
    def of(cls, table: StackTable) -> Truth:
        """The truth about a table."""
        values = TabulatedEvaluator(table).normaliser()(table.stacks)
        front = np.flatnonzero(moocore.is_nondominated(values, maximise=True, keep_weakly=True))
        return cls(values, tuple(front.tolist()), hypervolume(values[front]))

    def best(self, preferences: Array, utility: Utility) -> Array:
        """(P,) the largest utility that any stack has under each preference (P, K).

        Utilities grow with every score, so that the front has it.
        """
        front = self.values[list(self.front)]
        best: Array = utility(front[None], preferences[:, None]).max(axis=1)
        return best
