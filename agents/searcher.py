"""What everything that searches has in common: ask, evaluate outside, tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hm3.objectives import Scores
from hm3.recipe import Recipe


class Searcher(Protocol):
    """Proposes recipes and learns from their scores; it never evaluates. Resume points lie after `tell`."""

    def ask(self, count: int) -> list[Recipe]:
        """The next `count` recipes to be judged; some may be equal."""
        ...

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """The scores of what was asked last, in its order."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that is needed to go on exactly as if nothing had happened."""
        ...

    def restore(self, folder: Path) -> None:
        """Go on from what a searcher built with the same arguments has saved."""
        ...
