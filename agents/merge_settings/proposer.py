"""What everything that proposes merge settings has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hm3.objectives import Array


@dataclass(frozen=True)
class Told:
    """Everything that was judged so far, in the order in which it was asked for.

    Attributes:
        points: (N, D) of the unit cube.
        values: (N, M) raw values of the objectives, larger is better; a row with NaN is a model that gave none.
    """

    points: Array
    values: Array


class SettingsProposer(Protocol):
    """Proposes points of the unit cube of merge settings. It keeps nothing.

    What it proposes follows from its arguments and from what was told, to the last bit on one machine: a search that
    was killed goes on by telling it again what was judged.
    """

    @property
    def initial(self) -> int:
        """Points that it asks for before it has learnt anything; a budget must be at least that."""
        ...

    def propose(self, told: Told, count: int) -> Array:
        """The next points to be judged: (n, D) with 1 <= n <= `count`, none of them told already.

        Args:
            told: All that was judged, N >= 0.
            count: How many may be judged now.
        """
        ...
