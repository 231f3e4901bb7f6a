"""The offline stage: a searcher asks, the evaluator judges on the screen, the searcher is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hm3.exits import prefix_evaluator
from hm3.judged import Judged
from hm3.objectives import Evaluator, Scores
from hm3.recipe import Recipe
from hm3.searchers import AskTell, TakesPrefixes


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
        """Share of the rollout's recipes that are different from each other; 1 if it has none."""
        return len({recipe.digest for recipe in self.recipes}) / len(self.recipes) if self.recipes else 1.0


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
        scores = judge(searcher, evaluator, recipes)
        judged.add(recipes, scores)
        yield Rollout(number, recipes, scores, judged)


def judge(searcher: AskTell, evaluator: Evaluator, recipes: Sequence[Recipe]) -> Sequence[Scores]:
    """Judge recipes and tell the searcher, with their early exits if it wants them; their scores."""
    if isinstance(searcher, TakesPrefixes) and searcher.needs_prefixes:
        prefixes = prefix_evaluator(evaluator).prefixes(recipes)
        scores = [each[-1] for each in prefixes]
        searcher.tell(recipes, scores, prefixes)
    else:
        scores = list(evaluator(recipes))
        searcher.tell(recipes, scores)
    return scores
