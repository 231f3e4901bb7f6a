"""The offline stage: a searcher asks, the evaluator judges on the screen, the searcher is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from hm3.archive import ParetoArchive, hypervolume
from hm3.objectives import Array, Candidate, Evaluator, Normaliser, Scores, Utility
from hm3.recipe import Recipe


class AskTell(Protocol):
    """What the offline stage needs of a searcher; `agents.Searcher` is one."""

    def ask(self, count: int) -> list[Recipe]:
        """The next recipes to be judged."""
        ...

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Their scores."""
        ...


@dataclass
class Judged:
    """Everything that was judged at one fidelity, each recipe once, in the order in which it came.

    Attributes:
        normaliser: Of this fidelity's scores.
        candidates: Digest -> candidate.
        archive: Their front.
    """

    normaliser: Normaliser
    candidates: dict[str, Candidate] = field(default_factory=dict)
    archive: ParetoArchive = field(default_factory=ParetoArchive)

    def add(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take in what was judged."""
        for recipe, score in zip(recipes, scores, strict=True):
            if recipe.digest not in self.candidates:
                candidate = Candidate(recipe, score)
                self.candidates[recipe.digest] = candidate
                self.archive.add(candidate)

    def hypervolume(self) -> float:
        """Of the front, normalised, reference point 0."""
        front = [candidate.scores.values for candidate in self.archive]
        return hypervolume(self.normaliser(front)) if front else 0.0

    def utilities(self, weights: Array, utility: Utility) -> Array:
        """(P, N) utility of every candidate under each preference (P, K); -inf where a candidate is invalid."""
        known = list(self.candidates.values())
        values = self.normaliser([candidate.scores.values for candidate in known])
        result = utility(values[None, :, :], weights[:, None, :])
        valid = np.array([candidate.scores.valid for candidate in known])
        return np.where(valid[None, :], result, -np.inf)

    def best_utility(self, weights: Array, utility: Utility) -> float:
        """The largest utility of any candidate under one preference (K,)."""
        return float(self.utilities(weights[None, :], utility).max())


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is told after each rollout.

    Attributes:
        number: From 1.
        recipes: What was written, with repeats.
        scores: Its scores.
        judged: All that was judged so far.
    """

    number: int
    recipes: Sequence[Recipe]
    scores: Sequence[Scores]
    judged: Judged

    @property
    def distinct(self) -> float:
        """Share of the rollout's recipes that are different from each other."""
        return len({recipe.digest for recipe in self.recipes}) / len(self.recipes)


def explore(
    searcher: AskTell,
    evaluator: Evaluator,
    judged: Judged,
    *,
    rollouts: int,
    episodes: int,
    first: int = 1,
    go_on: Callable[[], bool] = lambda: True,
) -> Iterator[Rollout]:
    """Run rollouts `first` to `rollouts` of `episodes` whole episodes, each scored together at its end.

    Args:
        searcher: Proposes and learns.
        evaluator: Judges on the screen.
        judged: Takes in what was judged.
        rollouts: The last rollout's number.
        episodes: Episodes of a rollout.
        first: The first rollout's number: later after a resume.
        go_on: Asked before every rollout; a budget of time or evaluations says no.

    Yields:
        After every rollout; a checkpoint may be written there.
    """
    for number in range(first, rollouts + 1):
        if not go_on():
            return
        recipes = searcher.ask(episodes)
        scores = evaluator(recipes)
        searcher.tell(recipes, scores)
        judged.add(recipes, scores)
        yield Rollout(number, recipes, scores, judged)
