"""Merges that nobody has to search for: the preferences state them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hm3.levels.stage import STAGE, Given, Merged
from hm3.parameter import ParameterLevel, check_mergeable
from hm3.progress import Stage
from hm3.recipe import Source
from hm3.session import Session


@dataclass(frozen=True)
class StatedMerges:
    """A level whose merges follow from the preferences alone.

    Attributes:
        level: Says which.
    """

    level: ParameterLevel
    conditioned: bool = field(default=False, init=False)
    reads_texts: bool = field(default=False, init=False)

    def known(self, given: Given) -> tuple[Source, ...]:
        """All of them."""
        sources = tuple(self.level(given.base, given.experts, given.objectives))
        if sources:
            check_mergeable(list(given.checkpoints.values()))
        return sources

    def plan(self, given: Given) -> Stage:
        """Nothing to do: merges are judged with the other sources."""
        return Stage(STAGE, 0)

    def __call__(self, session: Session, given: Given, folder: Path) -> Merged:
        """The merges, not judged yet."""
        return Merged(self.known(given))
