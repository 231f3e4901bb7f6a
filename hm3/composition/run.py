"""A run, composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from omegaconf import DictConfig

from envs.exits import Exits
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3 import closing
from hm3.budget import Budget, Spending
from hm3.checkpoints import Checkpoint
from hm3.command import resolved
from hm3.composition.level import stacks_layers
from hm3.composition.merging import Merging
from hm3.composition.parts import Parts
from hm3.composition.plans import Online, budget_of, sampler_of, with_merges
from hm3.composition.recipe_sources import tensor_files
from hm3.composition.searcher import agent_builder, built
from hm3.composition.space import stack_space
from hm3.composition.trained_on import check_pool, write_pool
from hm3.estimate import Estimate
from hm3.judged import Judged
from hm3.levels import ConditionedSource, Merged, followers, found_before, judge_others, report_front
from hm3.objectives import Normaliser
from hm3.pages import write_report
from hm3.progress import Stage
from hm3.recipe import Recipe
from hm3.resume_points import ResumePoints
from hm3.rivals import Rival
from hm3.runs import FrontFile, RunFolder
from hm3.searchers import AskTell, Proposer
from hm3.session import Session
from hm3.training import Training


@dataclass(frozen=True)
class Composition:
    """A session with what only commands need.

    Attributes:
        session: The run at work.
        parts: What the run is made of.
        space: The stacks that may be written.
        folder: The run folder.
        config: As composed when the run began.
        merged_in: The folder of the run whose merges are used.
        merged: What the parameter level gave.
        conditioned: The source that follows each preference, where there is one.
    """

    session: Session
    parts: Parts
    space: StackSpace
    folder: RunFolder
    config: DictConfig
    merged_in: RunFolder
    merged: Merged = field(default_factory=Merged)
    conditioned: ConditionedSource | None = None

    @property
    def budget(self) -> Budget:
        """What may be spent."""
        return budget_of(self.config)

    def spending(self, seconds: float = 0.0) -> Spending:
        """The run's budget, with what is spent of it so far.

        Args:
            seconds: That the run has taken so far.
        """
        reserved = len(self.parts.rivals) + len(self._followers)
        return Spending(self.budget, lambda: self.session.evaluations, reserved=reserved, seconds=seconds)

    def tell_estimate(self, stages: Sequence[Stage]) -> None:
        """Say what the run will take."""
        bench = self.session.bench
        pace = bench.pace(self.session.identities[0])
        planned = [self.parts.level.plan(self.parts.given), *with_merges(stages, len(self.parts.rivals))]
        estimate = Estimate.of(planned, pace, bench.machine.cache_bytes)
        self.session.progress.note(f"{estimate.within(self.budget)} on {bench.machine.place}")

    def merge(self) -> Composition:
        """The run with what the parameter level gives: done already, taken up where a killed run was, or begun."""
        stacks = stacks_layers(self.config)
        if stacks and self.parts.level.plan(self.parts.given).total:
            self._try_agent()  # a wrong setting ends the run here, not after the level's work
        lattice = 1 + Online.of(self.config).lattice(len(self.parts.objectives))
        merging = Merging(self.session, self.parts, self.folder, self.budget, lattice, stacks)
        merged = merging(self.merged_in)
        run = replace(self, merged=merged, conditioned=merging.condition(merged))
        return run._with_pool() if stacks else run

    def front_of_merges(self, plan: Online) -> FrontFile:
        """The parameter level's own front of plain merged models, without stacks; then the result."""
        found = self._found()
        judge_others(self.session, self.parts.given, self.merged.sources, found)
        rivals = self.session.compare(self.parts.rivals, found)
        return self._conclude(found, rivals, plan.front)

    def train(self, searcher: Any, screened: Judged, spending: Spending, *, rollouts: int, episodes: int) -> None:
        """Train a searcher, or what is left of it, and write down what it was trained on."""
        train = Training(self.session, self.folder, ResumePoints(self.folder.resume))
        train(searcher, screened, spending, rollouts=rollouts, episodes=episodes)
        write_pool(self.space, self.parts.exits, self.folder)

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
        found = self._found()
        if known:
            session.recall(known, found)
        rivals = session.compare(self.parts.rivals, found)
        spending.release()
        session.promote(screened, found, divisions=plan.divisions, count=plan.survivors)
        refiner = self._refiner(sampler, found.normaliser)
        session.refine(refiner, screened, found, spending, rounds=plan.refine, count=count)
        return self._conclude(found, rivals, plan.front)

    def _with_pool(self) -> Composition:
        """The run with merged sources in its pool."""
        bench = self.session.bench
        for source in self.merged.sources:
            bench.add(self.parts.given.checkpoint_of(source))
        space = stack_space(self.config.env, self.parts.sources, self.merged.sources, self.conditioned)
        session = replace(self.session, identities=tuple(space.pool.identities()))
        return replace(self, session=session, space=replace(space, seam=bench.seams.name))

    def _found(self) -> Judged:
        return found_before(self.session, self.merged, self._followers)

    @property
    def _followers(self) -> list[Recipe]:
        return followers(self.session, self.parts.given, self.conditioned, Online.of(self.config).divisions)

    def _conclude(self, found: Judged, rivals: Sequence[Rival], most: int) -> FrontFile:
        """Judge the front on the test split, write the result, export the chosen model."""
        report_front(self.session, self.parts.given, found)
        front = closing.conclude(self.session, found, rivals, self.folder, most=most)
        write_report(self.folder, resolved(self.config))
        if self.config.export:
            member = front.chosen_member
            tensors = tensor_files(member.recipe, self.parts.given.merges)
            closing.export(front, member, self._checkpoints(member.recipe), self.folder, tensors)
        return front

    def _checkpoints(self, recipe: Recipe) -> dict[str, Checkpoint]:
        """The checkpoints of a recipe's sources; those that the bench doesn't hold are built once more."""
        known = self.session.bench.checkpoints
        return {
            source.name: known.get(source.name) or self.parts.given.checkpoint_of(source) for source in recipe.sources
        }

    def check_pool(self, run: RunFolder) -> None:
        """See that a run's policy was trained on this space.

        Raises:
            ConfigurationError: Sources or rules have changed since.
        """
        check_pool(self.space, self.parts.exits, run)

    def searcher(self, agent: DictConfig, sampler: PreferenceSampler, rollouts: int, normaliser: Normaliser) -> Any:
        """The searcher that a configuration names, given of this run what its constructor asks for."""
        # Under a budget the session tells the searcher how far its training is.
        known = {} if self.budget.stated else {"rollouts": rollouts}
        seen = {"space": self._shown(normaliser)} if self.parts.exits else {}
        return built(agent_builder(agent), self._offered(sampler, normaliser) | known | seen)

    def _try_agent(self) -> None:
        """Build the agent on the stacks that are known so far."""
        sampler, found = sampler_of(self.config.offline, self.session.preference), self.session.sources_on_search()
        self.searcher(self.config.agent, sampler, 1, found.normaliser)

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
