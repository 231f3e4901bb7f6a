"""A session: what both stages share, and the stages as steps that tell their progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hm3.budget import Spending
from hm3.judged import Judged
from hm3.objectives import Array, Evaluator, Preference, Utility
from hm3.offline import Rollout, explore
from hm3.online import anchored, fresh, judge, lattice_with, survivors, unbeaten
from hm3.progress import Progress
from hm3.recipe import MergeSpec, Recipe
from hm3.rivals import Rival, judged_rivals
from hm3.searchers import Anneals, AskTell, Batches, Proposer, Remembers
from hm3.tracking import Tracker
from hm3.workbench import Workbench


@dataclass(frozen=True)
class Session:
    """A run at work.

    Attributes:
        bench: Judges recipes.
        identities: The recipes that rebuild each source; merged sources too.
        preference: The user's.
        utility: What a preference makes of normalised scores.
        progress: Told about everything that is done.
        tracker: Keeps what is reported.
        seed: Of the run.
    """

    bench: Workbench
    identities: tuple[Recipe, ...]
    preference: Preference
    utility: Utility
    progress: Progress
    tracker: Tracker
    seed: int

    @property
    def weights(self) -> Array:
        """(K,) the user's weights."""
        return np.asarray(self.preference.weights)

    @property
    def floors(self) -> tuple[float, ...]:
        """Each objective's floor; for the cost of depth twice the base's depth, which makes 1 the base's own."""
        base = next(iter(self.bench.checkpoints.values()))
        return tuple(each.floor if each.task else -2.0 * base.depth for each in self.bench.objectives)

    def sources_on_screen(self) -> Judged:
        """The sources, judged on the screen."""
        return anchored(self.identities, self.bench.screen, self.floors)

    def sources_on_search(self) -> Judged:
        """The sources, judged on the whole search split: what every archive starts with."""
        return anchored(self.identities, self.bench.search, self.floors)

    def offline(
        self,
        searcher: AskTell,
        screened: Judged,
        spending: Spending,
        *,
        rollouts: int,
        episodes: int,
        first: int = 1,
        after: Callable[[Rollout], None] = lambda rollout: None,
    ) -> None:
        """The offline stage: train `searcher` on the screen; `screened` takes in all that is judged.

        Args:
            searcher: Proposes and learns.
            screened: The sources and, after a resume, whatever else was judged on the screen.
            spending: Of the budget; where one is stated it rules, and `rollouts` doesn't.
            rollouts: Number of rollouts.
            episodes: Episodes of each, at most: a searcher may learn more from fewer.
            first: The first rollout's number.
            after: Called after each rollout; it may write a resume point.
        """
        share = spending.budget.offline
        episodes = min(episodes, searcher.batch) if isinstance(searcher, Batches) else episodes
        if isinstance(searcher, Remembers) and first == 1:
            known = list(screened.candidates.values())
            searcher.remember([each.recipe for each in known], [each.scores for each in known])
        self.progress.begin("offline", rollouts)
        for rollout in explore(
            searcher,
            self.bench.screen,
            screened,
            rollouts=spending.rounds(share, episodes, rollouts),
            episodes=episodes,
            first=first,
            go_on=lambda: spending.allows(share, episodes),
        ):
            self._anneal(searcher, rollout.number, spending)
            best = screened.best_utility(self.weights, self.utility)
            self.progress.advance("offline", best=best)
            self._log(rollout, best, getattr(searcher, "metrics", {}))
            after(rollout)

    def propose(
        self, proposer: Proposer, screened: Judged, spending: Spending, *, divisions: int, each: int, own: int
    ) -> None:
        """Let a trained agent propose for a lattice of preferences and judge the proposals on the screen.

        Args:
            proposer: The agent.
            screened: Takes them in.
            spending: Of the budget; proposals that it doesn't pay for are left out, the user's own last.
            divisions: Steps of the Das-Dennis lattice on each side.
            each: Proposals for each preference of the lattice.
            own: Proposals for the user's preference.
        """
        rng = np.random.default_rng([self.seed, 1])
        preferences = lattice_with(self.preference, divisions)
        recipes = proposer.propose(preferences[:1], own, greedy=True, rng=rng)
        recipes += proposer.propose(preferences[1:], each, greedy=True, rng=rng)
        self._judge("proposals", fresh(recipes, screened)[: spending.room()], self.bench.screen, screened)

    def recall(self, recipes: Sequence[Recipe], found: Judged) -> None:
        """Judge an earlier front on the whole search split.

        Args:
            recipes: The earlier front.
            found: Takes them in.
        """
        self._judge("known", recipes, self.bench.search, found)

    def compare(self, specs: Sequence[MergeSpec], found: Judged) -> list[Rival]:
        """Judge parameter-space merges on both splits; on the search split they are candidates like any other.

        Args:
            specs: The merges.
            found: Takes them in.
        """
        rivals = []
        depth = next(iter(self.bench.checkpoints.values())).depth
        self.progress.begin("merges", len(specs))
        for rival in judged_rivals(self.bench, specs, depth):
            rivals.append(rival)
            found.add([rival.recipe], [rival.search])
            self.progress.advance("merges", best=found.best_utility(self.weights, self.utility))
        return rivals

    def refine(
        self, searcher: AskTell, screened: Judged, found: Judged, spending: Spending, *, rounds: int, count: int
    ) -> None:
        """Let a searcher go on from the front that was found.

        Its stacks are judged on the screen first; only those that no stack of the front beats there, item for item
        the same, are judged on the whole search split.

        Args:
            searcher: Told the front first, then what was judged on the whole search split.
            screened: Takes in what is judged on the screen.
            found: The sources and what was judged on the whole search split; takes in what is found.
            spending: Of the budget; where one is stated it rules, and `rounds` doesn't.
            rounds: How often it asks.
            count: Stacks of each round.
        """
        pool = {identity.embedding_host for identity in self.identities}
        known = [each for each in found.candidates.values() if {used.name for used in each.recipe.sources} <= pool]
        self.progress.begin("refinement", rounds * count)
        searcher.tell([each.recipe for each in known], [each.scores for each in known])
        for _ in range(spending.rounds(1.0, count, rounds)):
            if not spending.allows(1.0, 1):
                return
            recipes = fresh(searcher.ask(count), found)[: spending.room()]
            screened.add(recipes, self.bench.screen(recipes))
            kept = unbeaten(recipes, [each.recipe for each in found.archive], self.bench.screen)
            scores = self.bench.search(kept)
            searcher.tell(kept, scores)
            found.add(kept, scores)
            self.progress.advance("refinement", count, best=found.best_utility(self.weights, self.utility))
            self.tracker.log({"hypervolume": found.hypervolume()}, self.evaluations)

    def promote(self, screened: Judged, found: Judged, *, divisions: int, count: int) -> None:
        """Judge the screen's most promising recipes on the whole search split.

        Args:
            screened: What the screen saw.
            found: Takes them in; it holds the sources already.
            divisions: Steps of the Das-Dennis lattice on each side.
            count: How many are judged.
        """
        chosen = survivors(screened, lattice_with(self.preference, divisions), self.utility, count)
        self._judge(
            "online",
            chosen,
            self.bench.search,
            found,
            lambda: self.tracker.log({"hypervolume": found.hypervolume()}, self.evaluations),
        )

    def _anneal(self, searcher: AskTell, rollout: int, spending: Spending) -> None:
        """Under a budget, nobody but the budget knows how far the training is."""
        if not spending.budget.stated:
            return
        gone = spending.fraction(spending.budget.offline)
        if isinstance(searcher, Anneals):
            searcher.progress = gone
        self.progress.begin("offline", max(rollout, round(rollout / gone)) if gone else rollout)

    @property
    def evaluations(self) -> int:
        """Distinct recipes judged so far."""
        return self.bench.evaluations

    def _judge(
        self,
        stage: str,
        recipes: Sequence[Recipe],
        evaluator: Evaluator,
        judged: Judged,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Judge what `judged` has not; `after` is called after each batch."""
        missing = fresh(recipes, judged)
        self.progress.begin(stage, len(missing))
        for done in judge(missing, evaluator, judged):
            self.progress.advance(stage, done, best=judged.best_utility(self.weights, self.utility))
            after()

    def _log(self, rollout: Rollout, best: float, learning: Mapping[str, float]) -> None:
        """Report a rollout; the step is the number of evaluations so far."""
        screened = rollout.judged
        values = screened.normaliser([scores.values for scores in rollout.scores])
        record = {
            "offline/rollout": float(rollout.number),
            "offline/hypervolume_screen": screened.hypervolume(),
            "offline/front_screen": float(len(screened.archive)),
            "offline/distinct": rollout.distinct,
            "offline/depth": float(np.mean([recipe.depth for recipe in rollout.recipes])),
            "offline/utility": float(np.mean(self.utility(values, self.weights))),
            "best_utility": best,
            **({"offline/exits": float(self.bench.exits)} if self.bench.exits else {}),
        }
        self.tracker.log(record | {f"agent/{name}": value for name, value in learning.items()}, self.evaluations)
