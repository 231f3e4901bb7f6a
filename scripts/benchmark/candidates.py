"""The stacks that are scored: near the natural order, in free order, and as a converging search proposes them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents import PPO, LocalSearch, RandomSearch
from agents.searcher import Searcher
from envs.preferences import Dirichlet
from envs.space import StackSpace
from hm3.objectives import Evaluator, Normaliser, Scores, Tchebycheff
from hm3.recipe import Recipe

ROUND = 64  # stacks that a search proposes at once


def near(space: StackSpace, count: int, seed: int) -> list[Recipe]:
    """Distinct stacks of the natural prior, as random search draws them."""
    return _distinct(RandomSearch(space, seed=seed), count)


def free(space: StackSpace, count: int, seed: int) -> list[Recipe]:
    """Distinct stacks with every action drawn uniformly from the legal ones."""
    return _distinct(RandomSearch(space, seed=seed, beta=0.0), count)


@dataclass(frozen=True, slots=True)
class Timed:
    """What new stacks of a search took.

    Attributes:
        count: Stacks that were not scored before.
        seconds: All of them together.
    """

    count: int
    seconds: float


def converging(
    space: StackSpace, evaluator: Evaluator, *, rollouts: int, count: int, seed: int
) -> Iterator[tuple[str, Timed]]:
    """A real search on a real evaluator: what its new stacks take, round by round.

    PPO trains as in the main job, from the sources on; then local search goes on from all that is known, until `count`
    new stacks were scored in its rounds.

    Args:
        space: What may be stacked.
        evaluator: New, so that its store knows nothing.
        rollouts: Rounds of PPO.
        count: New stacks of local search.
        seed: Of both searchers.

    Yields:
        The stage, ``warming`` or ``warm``, and its round.
    """
    known: dict[str, Scores] = {}
    sources = space.pool.identities()
    _judge(sources, evaluator, known)
    normaliser = Normaliser.fit(evaluator.names, [0.0] * len(evaluator.names), [known[one.digest] for one in sources])
    given = (space, normaliser, Tchebycheff(), Dirichlet(len(evaluator.names)))
    learner, refiner = PPO(*given, seed=seed, rollouts=rollouts), LocalSearch(*given, seed=seed)
    for searcher in (learner, refiner):
        (searcher.remember if isinstance(searcher, PPO) else searcher.tell)(sources, [known[s.digest] for s in sources])
    for _ in range(rollouts):
        recipes, timed = _round(learner, evaluator, known)
        refiner.tell(recipes, [known[recipe.digest] for recipe in recipes])
        yield "warming", timed
    while count > 0:
        _, timed = _round(refiner, evaluator, known)
        count -= timed.count
        yield "warm", timed


def _round(searcher: Searcher, evaluator: Evaluator, known: dict[str, Scores]) -> tuple[list[Recipe], Timed]:
    recipes = searcher.ask(ROUND)
    timed = _judge(recipes, evaluator, known)
    searcher.tell(recipes, [known[recipe.digest] for recipe in recipes])
    return recipes, timed


def _judge(recipes: Sequence[Recipe], evaluator: Evaluator, known: dict[str, Scores]) -> Timed:
    """Score what is not known; only that is timed."""
    fresh = list({recipe.digest: recipe for recipe in recipes if recipe.digest not in known}.values())
    began = time.perf_counter()
    scores = evaluator(fresh)
    seconds = time.perf_counter() - began
    known.update((recipe.digest, score) for recipe, score in zip(fresh, scores, strict=True))
    return Timed(len(fresh), seconds)


def _distinct(searcher: RandomSearch, count: int) -> list[Recipe]:
    found: dict[str, Recipe] = {}
    while len(found) < count:
        found.update((recipe.digest, recipe) for recipe in searcher.ask(count))
    return list(found.values())[:count]
