"""A run, composed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig

from envs.exits import Exits
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3 import closing
from hm3.budget import Budget, Spending
from hm3.checkpoints import Checkpoint
from hm3.checks import path, writable_folder
from hm3.command import resolved
from hm3.composition.bench import open_bench, open_tracker
from hm3.composition.merges import merged_checkpoint
from hm3.composition.parts import Parts, check
from hm3.composition.plans import Online, budget_of, with_merges
from hm3.composition.searcher import agent_builder, built
from hm3.composition.start import Start
from hm3.composition.trained_on import check_pool, write_pool
from hm3.estimate import Estimate
from hm3.judged import Judged
from hm3.objectives import Normaliser
from hm3.pages import write_report
from hm3.parameter import MergeCache
from hm3.progress import ConsoleProgress, Stage
from hm3.recipe import MergeSpec, Recipe
from hm3.resume_points import ResumePoints
from hm3.rivals import Rival
from hm3.runs import FrontFile, RunFolder
from hm3.searchers import AskTell, Proposer
from hm3.session import Session
from hm3.training import Training
from hm3.workbench import Workbench


@dataclass(frozen=True)
class Composition:
    """A session with what only commands need.

    Attributes:
        session: The run at work.
        space: The stacks that may be written.
        exits: Whether observations show early exits.
        rivals: The merges to compare with.
        folder: The run folder.
        merges: Where merged sources are kept.
        budget: What may be spent.
        export: Whether the chosen model is written into the run folder.
        settings: The configuration as plain values, for the report.
    """

    session: Session
    space: StackSpace
    exits: bool
    rivals: Sequence[MergeSpec]
    folder: RunFolder
    merges: MergeCache
    budget: Budget
    export: bool
    settings: Mapping[str, Any]

    def spending(self, seconds: float = 0.0) -> Spending:
        """The run's budget, with what is spent of it so far.

        Args:
            seconds: That the run has taken so far.
        """
        return Spending(self.budget, lambda: self.session.evaluations, reserved=len(self.rivals), seconds=seconds)

    def tell_estimate(self, stages: Sequence[Stage]) -> None:
        """Say what the run will take."""
        bench = self.session.bench
        pace = bench.pace(self.session.identities[0])
        estimate = Estimate.of(with_merges(stages, len(self.rivals)), pace, bench.machine.cache_bytes)
        self.session.progress.note(f"{estimate.within(self.budget)} on {bench.machine.place}")

    def train(self, searcher: Any, screened: Judged, spending: Spending, *, rollouts: int, episodes: int) -> None:
        """Train a searcher, or what is left of it, and write down what it was trained on."""
        train = Training(self.session, self.folder, ResumePoints(self.folder.resume))
        train(searcher, screened, spending, rollouts=rollouts, episodes=episodes)
        write_pool(self.space, self.exits, self.folder)

    def search(
        self,
        searcher: Any,
        screened: Judged,
        known: Sequence[Recipe],
        sampler: PreferenceSampler,
        spending: Spending,
        plan: Online,
        *,
        count: int,
    ) -> FrontFile:
        """The online stage: proposals, merges to compare with, promotion, refinement; then the result.

        Args:
            searcher: Trained; it may be no proposer.
            screened: What the screen saw.
            known: An earlier front.
            sampler: Preferences that the refinement is for.
            spending: Of the budget.
            plan: How much of each.
            count: Stacks of a round of refinement.
        """
        session = self.session
        if isinstance(searcher, Proposer):
            session.propose(searcher, screened, spending, divisions=plan.divisions, each=plan.each, own=plan.own)
        found = session.sources_on_search()
        if known:
            session.recall(known, found)
        rivals = session.compare(self.rivals, found)
        spending.release()
        session.promote(screened, found, divisions=plan.divisions, count=plan.survivors)
        refiner = self._refiner(sampler, found.normaliser)
        session.refine(refiner, screened, found, spending, rounds=plan.refine, count=count)
        return self._conclude(found, rivals, plan.front)

    def _conclude(self, found: Judged, rivals: Sequence[Rival], most: int) -> FrontFile:
        """Judge the front on the test split, write the result, export the chosen model."""
        front = closing.conclude(self.session, found, rivals, self.folder, most=most)
        write_report(self.folder, self.settings)
        if self.export:
            member = front.chosen_member
            closing.export(front, member, self._checkpoints(member.recipe), self.folder)
        return front

    def _checkpoints(self, recipe: Recipe) -> dict[str, Checkpoint]:
        """The checkpoints of a recipe's sources; rivals are built once more."""
        known = self.session.bench.checkpoints
        return {
            source.name: known.get(source.name) or merged_checkpoint(source, self.merges, known)
            for source in recipe.sources
        }

    def check_pool(self, run: RunFolder) -> None:
        """See that a run's policy was trained on this space.

        Raises:
            ConfigurationError: Sources or rules have changed since.
        """
        check_pool(self.space, self.exits, run)

    def searcher(self, agent: DictConfig, sampler: PreferenceSampler, rollouts: int, normaliser: Normaliser) -> Any:
        """The searcher that a configuration names, given of this run what its constructor asks for."""
        # Under a budget the session tells the searcher how far its training is.
        known = {} if self.budget.stated else {"rollouts": rollouts}
        seen = {"space": self._shown(normaliser)} if self.exits else {}
        return built(agent_builder(agent), self._offered(sampler, normaliser) | known | seen)

    def _refiner(self, sampler: PreferenceSampler, normaliser: Normaliser) -> AskTell:
        """Local search, for what the policy's proposals leave undone."""
        from agents import LocalSearch  # commands that search nothing do without its libraries

        return LocalSearch(**self._offered(sampler, normaliser))

    def _shown(self, normaliser: Normaliser) -> StackSpace:
        """The space, with observations that show early exits."""
        return replace(self.space, exits=Exits(self.session.bench.screen, normaliser))

    def _offered(self, sampler: PreferenceSampler, normaliser: Normaliser) -> dict[str, Any]:
        return {
            "space": self.space,
            "normaliser": normaliser,
            "utility": self.session.utility,
            "sampler": sampler,
            "seed": self.session.seed,
        }


@contextmanager
def composed(
    config: DictConfig, start: Start, weights: Mapping[str, float] | None, stages: Sequence[Stage]
) -> Iterator[Composition]:
    """Open everything that a configuration names; whatever is wrong with it is said before the long work begins.

    Args:
        config: As composed from ``conf/train.yaml``.
        start: Where the run begins or goes on.
        weights: The user's preference as stated, or None for equal weights.
        stages: What the run's progress will tell.
    """
    check(config)
    parts = Parts.of(config, weights)
    merges = MergeCache(writable_folder("merges", path("merges", config.merges)))
    with open_bench(config, list(parts.sources.checkpoints.values()), parts.objectives, parts.seam) as bench:
        for source in parts.merged:
            bench.add(merged_checkpoint(source, merges, parts.sources.checkpoints))
        with ConsoleProgress(with_merges(stages, len(parts.rivals))) as progress:
            session = _session(config, start, bench, parts, progress)
            try:
                yield Composition(
                    session,
                    replace(parts.space, seam=bench.seams.name),
                    parts.exits,
                    parts.rivals,
                    start.folder,
                    merges,
                    budget_of(config),
                    config.export,
                    resolved(config),
                )
            finally:
                session.tracker.finish()


def _session(config: DictConfig, start: Start, bench: Workbench, parts: Parts, progress: ConsoleProgress) -> Session:
    tracker = open_tracker(config, start)
    identities = tuple(parts.space.pool.identities())
    return Session(bench, identities, parts.preference, parts.utility, progress, tracker, config.seed)
