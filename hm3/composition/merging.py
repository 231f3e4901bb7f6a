"""The parameter level of a run: its work, unless that is done, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from hm3.budget import Budget, Spending
from hm3.composition.parts import Parts
from hm3.levels import ConditionedSource, Merged, read_merged, write_merged
from hm3.runs import RunFolder
from hm3.session import Session


@dataclass(frozen=True)
class Merging:
    """A run's parameter level.

    Attributes:
        session: The run at work.
        parts: What the run is made of.
        folder: The run folder.
        budget: What the run may spend.
        lattice: Models that follow preferences and will be judged, where the level gives such.
        stacks: Whether stacks will be judged, too.
    """

    session: Session
    parts: Parts
    folder: RunFolder
    budget: Budget
    lattice: int
    stacks: bool = True

    def __call__(self, merged_in: RunFolder) -> Merged:
        """What it gives: done already in the folder of another run, or in this run's: done, taken up, or begun.

        Raises:
            ConfigurationError: The budget is too small, or an objective has no scale.
        """
        earlier = None if merged_in == self.folder else read_merged(merged_in)
        merged = earlier or read_merged(self.folder) or self._worked()
        # A run that goes on doesn't ask for them again, but counts them.
        self.session.bench.search.asked.update(candidate.recipe.digest for candidate in merged.judged)
        return merged

    def condition(self, merged: Merged) -> ConditionedSource | None:
        """Make the source that follows each preference, where there is one, known to the bench."""
        if merged.tensor is None:
            return None
        given = self.parts.given
        given.merges.keep_tensor(merged.tensor)
        self.session.bench.condition(merged.tensor, given.checkpoint_of(merged.tensor.base))
        names = tuple(objective.name for objective in self.parts.objectives)
        return ConditionedSource(merged.tensor, given.experts, names)

    def _worked(self) -> Merged:
        self._check_budget()
        self.session.sources_on_search()  # an objective without a scale ends the run here, not after the work
        level, given = self.parts.level, self.parts.given
        merged = level(self.session, given, self.folder.resume / "parameter")
        if level.plan(given).total:
            write_merged(merged, self.folder)
        return merged

    def _check_budget(self) -> None:
        """See before the work that there is enough for sources and merges, and one stack where there are to be any."""
        level, given = self.parts.level, self.parts.given
        lattice = self.lattice if level.conditioned else 0
        needed = len(self.session.identities) + len(self.parts.merged) + level.plan(given).evaluations + lattice
        Spending(self.budget, lambda: needed, reserved=len(self.parts.rivals), further=int(self.stacks))
