"""A search over merge settings: propose, merge, judge, tell; the best merges become sources.

MM-MO (arXiv 2407.00487), MAP (arXiv 2406.07529) and their rivals differ in who proposes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.merge_settings import SettingsProposer
from hm3.checks import by_name, flag, whole
from hm3.errors import ConfigurationError
from hm3.levels.chosen import chosen_sources
from hm3.levels.journal import Journal
from hm3.levels.stage import STAGE, Given, Merged
from hm3.merge_judge import JudgedMerge, judged_merges
from hm3.objectives import Candidate
from hm3.parameter import MergeSpace, check_mergeable
from hm3.parameter.specification import Settings
from hm3.progress import Stage
from hm3.recipe import Source
from hm3.session import Session

SPARSITY = "sparsity"  # minus the L1 norm of a merge's change from the base
_JOURNAL = "settings.json"


@dataclass(frozen=True)
class MergeSearch:
    """A level that searches for the merges that are worth stacking.

    Attributes:
        proposer: Makes who proposes, of `dimensions`, `tasks`, `names` and `seed`.
        name: What the merges are called, with their number.
        method: A row of `METHODS`.
        searched: Setting (``weight`` among them) -> bounds; None for all that each parent has of its own.
        settings: Values of the other settings, where the method's defaults are not meant.
        blocks: Blocks of layers with settings of their own.
        sparsity: Whether a small change from the base is an objective of the search; it never counts in a front.
        budget: Merges that are judged.
        batch: Merges that are proposed at once.
        sources: At most so many become sources.
    """

    proposer: Callable[..., SettingsProposer]
    name: str
    method: str = "dare_ties"
    searched: Mapping[str, Sequence[float]] | None = None
    settings: Settings = field(default_factory=dict)
    blocks: int = 1
    sparsity: bool = True
    budget: int = 30
    batch: int = 5
    sources: int = 8
    conditioned: bool = field(default=False, init=False)
    reads_texts: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        by_name("parameter.settings", self.settings)
        flag("parameter.sparsity", self.sparsity)
        whole("parameter.blocks", self.blocks, 1)
        whole("parameter.budget", self.budget, 1)
        whole("parameter.batch", self.batch, 1)
        whole("parameter.sources", self.sources, 1)

    def known(self, given: Given) -> tuple[Source, ...]:
        """None: which they will be is the question.

        Raises:
            ConfigurationError: The models cannot be merged so, or the budget ends before the search begins.
            CheckpointError: They differ in shape.
        """
        initial = self._proposer(self._space(given), given, 0).initial
        if self.budget < initial:
            raise ConfigurationError(f"parameter.budget: at least the initial design's {initial}, got {self.budget}")
        given.check_free(self._names(0))
        check_mergeable([given.checkpoints[each.name] for each in (given.base, *self._parents(given))])
        return ()

    def plan(self, given: Given) -> Stage:
        """A merge costs about as much as six stacks on the screen."""
        return Stage(STAGE, self.budget, 6)

    def __call__(self, session: Session, given: Given, folder: Path) -> Merged:
        """Search, or go on."""
        space = self._space(given)
        proposer = self._proposer(space, given, session.seed)
        journal = Journal(folder / _JOURNAL, space.dimensions, len(self._objectives(given)))
        session.progress.begin(STAGE, self.budget)
        session.progress.advance(STAGE, len(journal))
        while len(journal) < self.budget:
            if not len(journal.open):
                journal.ask(proposer.propose(journal.told, min(self.batch, self.budget - len(journal))))
            specs = [space.spec(point) for point in journal.open]
            for merge in judged_merges(session.bench, specs, given.depth, self._names(len(journal))):
                journal.tell(Candidate(merge.recipe, merge.scores), self._values(merge, given))
                session.progress.advance(STAGE)
        return Merged(chosen_sources(session, journal.judged, self.sources), tuple(journal.judged))

    def _space(self, given: Given) -> MergeSpace:
        return MergeSpace(
            self.method,
            given.base,
            self._parents(given),
            depth=given.depth,
            blocks=self.blocks,
            searched=self.searched,
            settings=self.settings,
        )

    def _parents(self, given: Given) -> tuple[Source, ...]:
        return tuple(expert.source for expert in given.experts)

    def _proposer(self, space: MergeSpace, given: Given, seed: int) -> SettingsProposer:
        tasks, names = len(given.objectives), self._objectives(given)
        return self.proposer(dimensions=space.dimensions, tasks=tasks, names=names, seed=seed)

    def _objectives(self, given: Given) -> tuple[str, ...]:
        """What the proposer hears of, in order."""
        return (*given.objectives, *([SPARSITY] if self.sparsity else []))

    def _values(self, merge: JudgedMerge, given: Given) -> list[float]:
        """What the proposer hears of a merge."""
        scores = merge.scores.as_dict()
        told = [scores[name] if merge.scores.valid else float("nan") for name in given.objectives]
        return [*told, -merge.change] if self.sparsity else told

    def _names(self, done: int) -> list[str]:
        return [f"{self.name}_{number + 1}" for number in range(done, self.budget)]
