"""The contest's methods by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents import PPO, LocalSearch, RandomSearch, Searcher, SurrogatePPO
from agents.published import ModelMergingRL, PaperHM3
from agents.rivals import CMAES, MOEAD, NSGA2, NSGA3, CategoricalBO, RegularisedEvolution
from envs.preferences import Dirichlet, PreferenceSampler
from hm3.objectives import Tchebycheff
from scripts.benchmark.search.worlds import World

Make = Callable[..., Searcher]
GENERATION = 8  # stacks that are judged together


@dataclass(frozen=True)
class Method:
    """A line of the contest.

    Attributes:
        title: What people call it.
        make: Takes `space`, `normaliser`, `utility`, `sampler` and `seed`.
        budget: Different stacks that it may have judged.
        batch: Stacks that it is asked for at once.
        ours: Not a rival.
    """

    title: str
    make: Make
    budget: int
    batch: int = GENERATION
    ours: bool = False

    def searcher(self, world: World, seed: int, sampler: PreferenceSampler | None = None) -> Searcher:
        """It, at its start; preferences are drawn evenly unless a sampler is given."""
        drawn = sampler or Dirichlet(len(world.evaluator.names))
        return self.make(world.space, world.normaliser, Tchebycheff(), drawn, seed=seed)


def _random(space: Any, *_: object, seed: int, beta: float) -> Searcher:
    return RandomSearch(space, seed=seed, beta=beta)


METHODS: Mapping[str, Method] = {
    "uniform": Method("random, uniform", partial(_random, beta=0.0), 3000),
    "natural": Method("random, natural prior", partial(_random, beta=2.0), 3000),
    "local": Method("local search", partial(LocalSearch, beta=3.0), 3000),
    "evolution": Method("regularised evolution", partial(RegularisedEvolution, population=50, tournament=10), 3000),
    "nsga2": Method("NSGA-II", partial(NSGA2, population=50, mutation=0.4), 3000),
    "nsga3": Method("NSGA-III", partial(NSGA3, divisions=6), 3000),
    "moead": Method("MOEA/D", MOEAD, 3000),
    "cmaes": Method("CMA-ES, data flow", partial(CMAES, distance=2.0), 3000),
    "bo": Method("qLogNEHVI, categorical", partial(CategoricalBO, initial=8), 160),
    "rl_merging": Method(
        "PPO, one run per preference", partial(ModelMergingRL, evaluations=2000, divisions=2), 2000, batch=64
    ),
    "paper_hm3": Method(
        "HM3 as published", partial(PaperHM3, evaluations=2000, learning_rate=(3e-3, 3e-3)), 2000, batch=64
    ),
    "ppo": Method("HM3's PPO alone", PPO, 2000, batch=64, ours=True),
    "hm3": Method("HM3", SurrogatePPO, 600, ours=True),
}
