"""Masked PPO that practises on what stacks may score, and has those judged that promise most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.generators import set_state, state_of
from agents.moves import Stack
from agents.ppo import PPO
from agents.surrogate import Belief, KnownStacks, favourites, neighbours, thompson
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.checks import whole
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed

WRITTEN = 8  # stacks that the policy writes for each that it proposes
_FILE = "surrogate.json"


class SurrogatePPO:
    """PPO over preferences, with Gaussian processes between it and the evaluator.

    Before each batch the policy practises: it writes stacks, and learns from what the processes expect of them. What it
    wrote and neighbours of the front are screened: each place of the batch goes to the stack that would add the most
    hypervolume in one world that is possible (Thompson sampling). Policy and value network also learn the best known
    stacks for sampled preferences, by imitation, and propose for any preference, screened in the same way.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws the preference of each episode.
        seed: Of everything.
        rollouts: Of the whole training, for the schedules; None if the caller moves `progress`.
        initial: Stacks that are judged before the processes are asked.
        candidates: Neighbours of the front that are screened for a batch.
        practice: Rollouts of the policy between two batches.
        episodes: Of such a rollout.
        settings: Of `PPO`.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        rollouts: int | None = None,
        initial: int = 16,
        candidates: int = 600,
        practice: int = 1,
        episodes: int = 64,
        **settings: Any,
    ) -> None:
        self._initial = whole("agent.initial", initial, 1)
        self._candidates = whole("agent.candidates", candidates, 1)
        self._practice, self._episodes = whole("agent.practice", practice, 0), whole("agent.episodes", episodes, 1)
        self.policy = PPO(space, normaliser, utility, sampler, seed=seed, rollouts=rollouts, **settings)
        self.space, self.utility, self.sampler = space, utility, sampler
        self.known = KnownStacks(space, normaliser)
        self.belief = Belief(space, self.known)
        self._rng = np.random.default_rng([seed, 7])

    @property
    def progress(self) -> float:
        """How much of the training is over, from 0 to 1."""
        return self.policy.progress

    @progress.setter
    def progress(self, value: float) -> None:
        self.policy.progress = value

    @property
    def metrics(self) -> dict[str, float]:
        """What the policy's last update measured."""
        return self.policy.metrics

    def ask(self, count: int) -> list[Recipe]:
        """The next stacks, none of them known: a design, then what promises most; fewer where there are none."""
        if len(self.known) < self._initial:
            return self._fresh(self._near_sources(count))[:count]
        stacks, front = self.known.front()
        near = neighbours(self.space, stacks, self._candidates, self._rng)
        offered = self._fresh([*self._practised(), *self._recipes(near)])
        if not offered:
            return self._fresh(self._near_sources(count))[:count]
        worlds = self.belief.worlds(offered, count, self._rng)
        return [offered[number] for number in thompson(worlds, front)]

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Learn from judged stacks."""
        self.known.add(recipes, scores)
        self.policy.study(recipes, scores)

    def remember(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take note of judged stacks, whoever wrote them: the sources, say."""
        self.known.add(recipes, scores)
        self.policy.remember(recipes, scores)

    def propose(
        self, preferences: Array, per_preference: int, *, greedy: bool = True, rng: np.random.Generator
    ) -> list[Recipe]:
        """Up to `per_preference` stacks that nobody has judged for each preference (P, K).

        The policy writes many times as many, and those near the best known stack for the preference join them; of these
        each place goes to the one that the preference likes best in one world that is possible.
        """
        found: dict[str, Recipe] = {}
        for preference in preferences:
            written = self.policy.propose(preference[None], WRITTEN * per_preference, greedy=greedy, rng=rng)
            for recipe in self._liked(preference, written, per_preference, rng):
                found.setdefault(recipe.digest, recipe)
        return list(found.values())

    def save(self, folder: Path) -> None:
        """Write the policy's files, and what is known."""
        self.policy.save(folder)
        state = {"known": self.known.to_json(), "belief": self.belief.to_json(), "generator": state_of(self._rng)}
        (folder / _FILE).write_text(sealed(state), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from what an agent built with the same arguments has saved."""
        self.policy.restore(folder)
        state = unsealed(folder / _FILE)
        self.known.restore(state["known"])
        self.belief.restore(state["belief"])
        set_state(self._rng, state["generator"])

    def _practised(self) -> list[Recipe]:
        """What the policy writes while it practises."""
        written: list[Recipe] = []
        for _ in range(self._practice):
            recipes = self.policy.ask(self._episodes)
            self.policy.practise(recipes, self.belief.means(recipes))
            written += recipes
        return written

    def _liked(
        self, preference: Array, written: Sequence[Recipe], count: int, rng: np.random.Generator
    ) -> Iterable[Recipe]:
        """Of what was written, and of neighbours of the best known stack, what a preference (K,) may like best."""
        values = self.utility(self.known.values, preference) if len(self.known) else np.zeros(0)
        best = [self.known.stacks[number] for number in np.argsort(-values)[:3].tolist()]
        near = neighbours(self.space, best, self._candidates // 4, rng) if best else []
        offered = self._fresh([*written, *(self._recipe(stack, preference) for stack in near)])
        if not best or not offered:
            return offered[:count]
        worlds = self.belief.worlds(offered, count, rng)
        return [offered[number] for number in favourites(self.utility(worlds, preference))]

    def _near_sources(self, count: int) -> list[Recipe]:
        """The sources themselves and crossings of them."""
        whole_ = [self.space.encode(each) for each in self.space.pool.identities()]
        allowed = [stack for stack in whole_ if self.space.allows(stack[0])]
        near = neighbours(self.space, allowed, 4 * count, self._rng) if allowed else []
        return self._recipes([*allowed, *near])

    def _recipes(self, stacks: Sequence[Stack]) -> list[Recipe]:
        """Stacks as recipes, each for a preference of its own where a source follows preferences."""
        preferences = self.sampler(len(stacks), self._rng)
        return [self._recipe(stack, row) for stack, row in zip(stacks, preferences, strict=True)]

    def _recipe(self, stack: Stack, preference: Array) -> Recipe:
        layers, host = stack
        conditioned = self.space.pool.conditioned_on(preference.tolist())
        return self.space.recipe(layers, self.space.fixed_host or host, conditioned)

    def _fresh(self, recipes: Iterable[Recipe]) -> list[Recipe]:
        """Those that nobody has judged, each once."""
        return list({recipe.digest: recipe for recipe in recipes if recipe not in self.known}.values())
