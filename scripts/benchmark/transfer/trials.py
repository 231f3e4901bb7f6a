"""A trial: train before, take over, go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from agents import SurrogatePPO
from agents.carry_over import carry_over
from envs.preferences import Dirichlet
from hm3.objectives import Tchebycheff
from scripts.benchmark.search.credit import Credit
from scripts.benchmark.search.methods import GENERATION
from scripts.benchmark.search.trials import searched
from scripts.benchmark.search.worlds import World, world
from scripts.benchmark.transfer.worlds import ADDED, Before

Way = Callable[[SurrogatePPO, SurrogatePPO], None]
WAYS: Mapping[str, tuple[str, Way | None]] = {
    "anew": ("nothing", None),
    "networks": ("the networks", lambda new, old: carry_over(old.policy, new.policy)),
    "stacks": ("the judged stacks", lambda new, old: new.recall(old)),
    "both": ("both", lambda new, old: new.inherit(old)),
}
"""What is taken over: how it is called, and what does it."""


@dataclass(frozen=True)
class Trial:
    """What is asked of a worker process.

    Attributes:
        added: A row of `ADDED`.
        way: A row of `WAYS`.
        table: ``a`` or ``b``.
        seed: Of both agents.
        training: Different stacks judged before.
        budget: Different stacks judged afterwards, at most.
    """

    added: str
    way: str
    table: str
    seed: int
    training: int
    budget: int

    @property
    def name(self) -> str:
        """What the part of the result is called."""
        return f"{self.added}, {self.way} {self.seed}"

    def result(self) -> dict[str, Any]:
        """How the front grew from the moment of the addition."""
        torch.set_num_threads(1)
        place, began = world(self.table), time.perf_counter()
        new, take_over = _agent(place, self.seed), WAYS[self.way][1]
        if take_over is not None:
            take_over(new, self._trained(place))
        credit = _known(place, new)
        free = len(credit)
        searched(place, new, free + self.budget, GENERATION, enough=0, credit=credit)
        steps = [(max(0, number - free), *shares) for number, *shares in credit.steps]
        return {
            "added": self.added,
            "way": self.way,
            "seed": self.seed,
            "budget": self.budget,
            "evaluations": len(credit) - free,
            "seconds": round(time.perf_counter() - began, 2),
            "steps": steps,
        }

    def _trained(self, place: World) -> SurrogatePPO:
        before = ADDED[self.added](self.table, place)
        agent = _agent(before, self.seed)
        recipes = before.space.pool.identities()
        agent.remember(recipes, before.evaluator(recipes))
        while len(agent.known) < self.training:
            recipes = agent.ask(GENERATION)
            agent.tell(recipes, before.evaluator(recipes))
        return agent


def _agent(place: World | Before, seed: int) -> SurrogatePPO:
    sampler = Dirichlet(len(place.normaliser.names))
    return SurrogatePPO(place.space, place.normaliser, Tchebycheff(), sampler, seed=seed)


def _known(place: World, agent: SurrogatePPO) -> Credit:
    """What an agent knows before it begins."""
    credit = Credit(place)
    recipes = [recipe for recipe, _ in agent.known.by_name().values()]
    credit.take(recipes, place.evaluator(recipes))
    return credit
