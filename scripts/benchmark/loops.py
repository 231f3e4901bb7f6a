"""Steps per second of what surrounds the evaluator: the environment without a model, the agent with free scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agents import PPO, StackVecEnv
from envs.preferences import Dirichlet
from envs.space import Bools, Ints, StackSpace
from hm3.objectives import Normaliser, Scores, Tchebycheff
from hm3.recipe import Recipe

NAMES = ("first", "second", "third")
EPISODES = 64  # of a rollout, as in the main job


@dataclass(frozen=True)
class FreeEvaluator:
    """Scores that cost nothing: drawn, not computed."""

    names: tuple[str, ...] = NAMES

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe; equal recipes may get different ones."""
        values = np.random.default_rng(len(recipes)).random((len(recipes), len(self.names)))
        return [Scores(self.names, tuple(row)) for row in values.tolist()]


def environment_steps(space: StackSpace, *, episodes: int, seconds: float, seed: int) -> float:
    """Steps per second of `StackVecEnv` under random legal actions, the choice of which is not timed.

    Args:
        space: What may be stacked.
        episodes: At once.
        seconds: To go on for, about.
        seed: Of actions and preferences.
    """
    env = StackVecEnv(episodes, space, FreeEvaluator(), _normaliser(), Tchebycheff(), Dirichlet(len(NAMES)), seed=seed)
    rng = np.random.default_rng(seed)
    env.reset()
    spent, steps = 0.0, 0
    while spent < seconds:
        actions = legal_actions(env.action_masks(), rng)
        began = time.perf_counter()
        env.step(actions)
        env.action_masks()
        spent += time.perf_counter() - began
        steps += episodes
    return steps / spent


def agent_steps(space: StackSpace, *, seconds: float, seed: int) -> float:
    """Steps per second of the default agent's whole loop: writing stacks, learning from their scores, imitating."""
    given = (space, _normaliser(), Tchebycheff(), Dirichlet(len(NAMES)))
    agent, evaluator = PPO(*given, seed=seed), FreeEvaluator()
    _rollout(agent, evaluator)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        steps += _rollout(agent, evaluator)
    return steps / (time.perf_counter() - began)


def legal_actions(masks: Bools, rng: np.random.Generator) -> Ints:
    """(N,) one legal action of each row (N, actions), uniformly."""
    actions: Ints = np.where(masks, rng.random(masks.shape), -1.0).argmax(axis=1)
    return actions


def _rollout(agent: PPO, evaluator: Callable[[Sequence[Recipe]], list[Scores]]) -> int:
    """One rollout; its steps: a host, the layers, *stop*."""
    recipes = agent.ask(EPISODES)
    agent.tell(recipes, evaluator(recipes))
    return sum(recipe.depth + 2 for recipe in recipes)


def _normaliser() -> Normaliser:
    return Normaliser.fit(NAMES, [0.0] * len(NAMES), [Scores(NAMES, (1.0,) * len(NAMES))])
