"""Masked PPO that practises on what stacks may score, and has those judged that promise most."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents.carry_over import carry_over
from agents.generators import set_state, state_of
from agents.moves import Stack
from agents.ppo import PPO
from agents.surrogate import Belief, KnownStacks, favoured, most_promising, neighbours, promising
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.checks import whole
from hm3.errors import ConfigurationError
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed

WRITTEN = 8  # stacks that the policy writes for each that it proposes
_FILE = "surrogate.json"


class SurrogatePPO:
    """PPO over preferences, with Gaussian processes between it and the evaluator.

    Before each batch the policy practises: it writes stacks, and learns from what the processes expect of them (as
    DyNA-PPO does, Angermueller et al., 2020, for one objective). What it wrote, neighbours of the front and neighbours
    of what they make hope for are considered: each place of the batch goes to the stack that is expected to add most to
    the hypervolume. Policy and value network also learn the best known stacks for sampled preferences, by imitation,
    and propose for any preference; the processes choose among the proposals.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws the preference of each episode.
        seed: Of everything.
        rollouts: Of the whole training, for the schedules; None if the caller moves `progress`.
        initial: Stacks that are judged before the processes are asked.
        candidates: Neighbours of the front that are considered for a batch, and in each further round.
        rounds: How often the neighbours of what is most hopeful are considered, too.
        practice: Rollouts of the policy between two batches.
        episodes: Of such a rollout.
        batch: Most stacks that should be asked for at once: later ones are chosen knowing more.
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
        initial: int = 12,
        candidates: int = 400,
        rounds: int = 2,
        practice: int = 1,
        episodes: int = 64,
        batch: int = 8,
        **settings: Any,
    ) -> None:
        self._initial = whole("agent.initial", initial, 1)
        self._candidates, self._rounds = whole("agent.candidates", candidates, 1), whole("agent.rounds", rounds, 0)
        self.batch = whole("agent.batch", batch, 1)
        _check_settings(settings)
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
        if not len(self.known) or len(self.known) + len(self.known.partly) < self._initial:
            return self._near_sources(count)
        written = [self.space.encode(recipe) for recipe in self._practised()]
        offered, expected = promising(
            self.space, self.known, self.belief, written, self._candidates, self._rounds, self._rng
        )
        chosen = most_promising(expected, self.known.front()[1], count)
        return self._fresh(self._recipes([offered[number] for number in chosen])) or self._near_sources(count)

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Learn from judged stacks."""
        self.known.add(recipes, scores)
        self.policy.study(recipes, scores)

    def remember(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take note of judged stacks, whoever wrote them: the sources, say."""
        self.known.add(recipes, scores)
        self.policy.remember(recipes, scores)

    def inherit(self, other: SurrogatePPO) -> None:
        """Go on from what was learnt with other sources or for other objectives: networks and judged stacks.

        What has the same name keeps its weights. A stack that was judged where an objective was missing is remembered
        without it: it may be judged again, and tells until then what it can.
        """
        carry_over(other.policy, self.policy)
        self.recall(other)

    def recall(self, other: SurrogatePPO) -> None:
        """Take note of what another has judged, without its networks."""
        taken = self.known.inherit(other.known)
        self.policy.remember(taken, [self.known.scores(recipe) for recipe in taken])

    def propose(
        self, preferences: Array, per_preference: int, *, greedy: bool = True, rng: np.random.Generator
    ) -> list[Recipe]:
        """Up to `per_preference` stacks that nobody has judged for each preference (P, K).

        The policy writes many times as many, and neighbours of the best known stacks for the preference join them, and
        neighbours of what is expected to be best; those of the largest expected utility are proposed.
        """
        found: dict[str, Recipe] = {}
        for preference in preferences:
            written = self.policy.propose(preference[None], WRITTEN * per_preference, greedy=greedy, rng=rng)
            for recipe in self._liked(preference, written, rng)[:per_preference]:
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
            self.policy.practise(recipes, self.belief([self.space.encode(recipe) for recipe in recipes])[0])
            written += recipes
        return written

    def _liked(self, preference: Array, written: Sequence[Recipe], rng: np.random.Generator) -> list[Recipe]:
        """Of what was written, and of what is near the best known stacks, what a preference (K,) may like best."""
        if not len(self.known):
            return self._fresh(written)
        stacks = [self.space.encode(recipe) for recipe in written]
        count = self._candidates // 4
        liked = favoured(
            self.space, self.known, self.belief, stacks, partial(self._worth, preference), count, self._rounds, rng
        )
        return self._fresh(self._recipe(stack, preference) for stack in liked)

    def _worth(self, preference: Array, values: Array) -> Array:
        worth: Array = self.utility(values, preference)
        return worth

    def _near_sources(self, count: int) -> list[Recipe]:
        """Of the sources themselves and crossings of them, what is not known."""
        own = [self.space.encode(each) for each in self.space.pool.identities()]
        allowed = [stack for stack in own if self.space.allows(stack[0])]
        near = neighbours(self.space, allowed, 4 * count, self._rng) if allowed else []
        return self._fresh(self._recipes([*allowed, *near]))[:count]

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


def _check_settings(settings: Mapping[str, object]) -> None:
    """See that the policy takes them: a mistyped one is a person's mistake, not the program's."""
    if unknown := settings.keys() - inspect.signature(PPO).parameters.keys():
        raise ConfigurationError(f"agent: settings that SurrogatePPO and PPO take, got {', '.join(sorted(unknown))}")
