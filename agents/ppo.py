"""The default agent: masked PPO, one policy for all preferences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from stable_baselines3.common.utils import LinearSchedule

from agents.advantages import advantages
from agents.buffer import EpisodeBuffer
from agents.credit import Credit, Terminal, check_credit, prefix_utilities
from agents.extractors import FlatPath, RecurrentPath
from agents.generators import global_states, set_global_states, set_state, state_of
from agents.heads import Head, Masked
from agents.imitation import imitate
from agents.memory import Memory
from agents.model import build_model
from agents.policy import NaturalPolicy
from agents.proposals import beam, propose, values
from agents.relabel import relabel
from agents.rollout import Rollout, play
from agents.settings import PPO_RULES, check_settings
from envs.episodes import Episodes
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.errors import ConfigurationError
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed

STUDIED = 64  # preferences for which the best known stacks are learnt, where no rollout says how many


class PPO:
    """Learns to write stacks for any preference by masked PPO (sb3-contrib's update and file format).

    `ask` writes a rollout of whole episodes; `tell` turns their scores into utilities and rewards and updates. After
    construction all randomness is its own, so that nothing an evaluator does to global generators changes the search.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws the preference of each episode.
        seed: Of networks and sampling.
        rollouts: Rollouts of the whole training, which then moves `progress`; None if the caller sets it.
        credit: How utility becomes rewards.
        gamma: Discount.
        gae_lambda: 0 trusts the values, 1 the rewards.
        learning_rate: From the first to the last rollout.
        beta: Strength of the natural prior, from the first to the last rollout.
        entropy: Weight of the entropy bonus.
        clip: PPO's clip range.
        epochs: Passes over a rollout.
        relabels: Other preferences that each episode is offered to; 0 learns from its own only.
        imitation: Gradient steps after each update towards the best known stacks for sampled preferences; 0 for none.
        batch_size: Actions of a minibatch, about; it has whole episodes.
        encoder: Reads the path: the GRU learns more from an evaluation, `FlatPath` is a fifth faster.
        width: Of the networks.
        device: Where the networks live; they are so small that the CPU is fastest.
        head: How a choice is made; None takes masked logits.
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
        credit: Credit | None = None,
        gamma: float = 1.0,
        gae_lambda: float = 0.95,
        learning_rate: tuple[float, float] = (4e-3, 4e-4),
        beta: tuple[float, float] = (2.5, 2.0),
        entropy: float = 0.01,
        clip: float = 0.2,
        epochs: int = 4,
        relabels: int = 4,
        imitation: int = 4,
        batch_size: int = 1600,
        encoder: type[RecurrentPath] | type[FlatPath] = RecurrentPath,
        width: int = 64,
        device: str = "cpu",
        head: Head | None = None,
    ) -> None:
        check_settings(PPO_RULES, gamma=gamma, gae_lambda=gae_lambda, learning_rate=learning_rate, beta=beta)
        check_settings(PPO_RULES, entropy=entropy, clip=clip, epochs=epochs, relabels=relabels, imitation=imitation)
        check_settings(PPO_RULES, batch_size=batch_size, width=width)
        self.space, self.sampler, self.credit = space, sampler, credit or Terminal()
        check_credit(self.credit, space, gamma)
        self.normaliser, self.utility = normaliser, utility
        self._batch_size, self._beta = batch_size, LinearSchedule(*beta, end_fraction=1.0)
        self._rollouts, self._told, self._relabels = rollouts, 0, relabels
        self._rng = np.random.default_rng(seed)
        self._pending: Rollout | None = None
        self._imitation, self._memory = imitation, Memory(space)
        self.model = build_model(
            space,
            sampler.objectives,
            seed=seed,
            gamma=gamma,
            gae_lambda=gae_lambda,
            learning_rate=learning_rate,
            beta=beta[0],
            entropy=entropy,
            clip=clip,
            epochs=epochs,
            encoder=encoder,
            width=width,
            device=device,
            head=head or Masked(),
        )

    @property
    def policy(self) -> NaturalPolicy:
        """The networks."""
        return cast(NaturalPolicy, self.model.policy)

    @property
    def progress(self) -> float:
        """How much of the training is over, from 0 to 1; schedules of learning rate and prior follow it."""
        return 1.0 - self.model._current_progress_remaining

    @progress.setter
    def progress(self, value: float) -> None:
        self.model._current_progress_remaining = 1.0 - min(max(value, 0.0), 1.0)
        self.policy.beta.fill_(self._beta(1.0 - self.progress))

    @property
    def needs_prefixes(self) -> bool:
        """Whether `tell` must be given the scores of every prefix."""
        return self.credit.needs_prefixes

    @property
    def metrics(self) -> dict[str, float]:
        """What the last update measured (losses, entropy, clip fraction and so on)."""
        return {name: float(value) for name, value in self.model.logger.name_to_value.items()}

    def ask(self, count: int) -> list[Recipe]:
        """Write `count` stacks, each for a preference from the sampler."""
        preferences = self.sampler(count, self._rng)
        self._pending = play(self.policy, self.space, preferences, self._rng)
        return self._pending.recipes

    def tell(
        self,
        recipes: Sequence[Recipe],
        scores: Sequence[Scores],
        prefixes: Sequence[Sequence[Scores]] | None = None,
    ) -> None:
        """Learn from the scores of the last `ask`.

        Args:
            recipes: What was asked.
            scores: Its scores.
            prefixes: The scores of each recipe after 1, 2, … layers, where `needs_prefixes`.

        Raises:
            ValueError: The recipes are not those of the last `ask`, or prefixes are needed.
        """
        if self.needs_prefixes and prefixes is None:
            raise ValueError("prefixes: one list of scores for each recipe, got none")
        before = dict(zip((recipe.digest for recipe in recipes), prefixes or (), strict=False))
        preferences = self._taken(recipes).preferences
        self._update(recipes, self.normaliser([score.values for score in scores]), before)
        self._memory.add(recipes, scores, preferences)
        self._imitate(len(recipes))
        self._told += 1
        if self._rollouts:
            self.progress = self._told / self._rollouts

    def practise(self, recipes: Sequence[Recipe], values: Array) -> None:
        """Learn from what the last `ask` might score, normalised (N, K): nothing of it is remembered.

        Raises:
            ValueError: The recipes are not those of the last `ask`.
        """
        self._update(recipes, values, {})

    def study(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Learn from judged stacks that it hasn't asked for: the best known ones, by imitation."""
        self._memory.add(recipes, scores)
        self._imitate(STUDIED)
        self._told += 1
        if self._rollouts:
            self.progress = self._told / self._rollouts

    def remember(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take note of judged stacks, whoever wrote them: the sources, say."""
        self._memory.add(recipes, scores)

    def propose(
        self, preferences: Array, per_preference: int, *, greedy: bool = True, rng: np.random.Generator
    ) -> list[Recipe]:
        """Up to `per_preference` distinct stacks for each preference (P, K): the likeliest ones, then samples.

        Half of them come from a beam search (`agents.proposals.beam`), whose first is the greedy one or better; without
        `greedy` all are sampled (`agents.proposals.propose`).
        """
        likeliest = -(-per_preference // 2) if greedy else 0
        found = beam(self.policy, self.space, preferences, likeliest) if likeliest else []
        rest = per_preference - likeliest
        found += propose(self.policy, self.space, preferences, rest, greedy=False, rng=rng) if rest else []
        return list({recipe.digest: recipe for recipe in found}.values())

    def beam(self, preferences: Array, width: int) -> list[Recipe]:
        """The stacks of highest log-probability for each preference (P, K); see `agents.proposals.beam`."""
        return beam(self.policy, self.space, preferences, width)

    def values(self, episodes: Episodes, rows: Ints | None = None) -> Array:
        """(M,) what the value network expects of stacks that are partly written, under their preferences.

        With `Potential` credit that is what they will gain over their early exits.
        """
        return values(self.policy, episodes, rows)

    def save(self, folder: Path) -> None:
        """Write ``policy.zip`` (a plain SB3 file) and ``agent.json``.

        Raises:
            ValueError: Recipes have been asked for and not told.
        """
        if self._pending is not None:
            raise ValueError("save: only between tell and the next ask")
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save(folder / "policy.zip", exclude=["rollout_buffer"])
        state = {
            "told": self._told,
            "progress": self.progress,
            "timesteps": self.model.num_timesteps,
            "updates": self.model._n_updates,
            "memory": self._memory.to_json(),
            "generator": state_of(self._rng),
            "globals": global_states(),
        }
        (folder / "agent.json").write_text(sealed(state), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from what an agent built with the same arguments has saved.

        Raises:
            ConfigurationError: It was built over another space or with other networks.
        """
        try:
            self.model.set_parameters(str(folder / "policy.zip"), device=self.model.device)
        except Exception as error:  # a zip of pickles, of which a damaged one may raise anything
            raise ConfigurationError(f"policy: trained on this space with these networks, got {folder}") from error
        state = unsealed(folder / "agent.json")
        self._told, self.progress, self._pending = state["told"], state["progress"], None
        self.model.num_timesteps, self.model._n_updates = state["timesteps"], state["updates"]
        self._memory.restore(state["memory"])
        set_state(self._rng, state["generator"])
        set_global_states(state["globals"])

    def _taken(self, recipes: Sequence[Recipe]) -> Rollout:
        """The rollout of the last `ask`."""
        rollout = self._pending
        if rollout is None or list(recipes) != rollout.recipes:
            raise ValueError("recipes: exactly those of the last ask, in its order")
        return rollout

    def _update(self, recipes: Sequence[Recipe], values: Array, prefixes: Mapping[str, Sequence[Scores]]) -> None:
        """PPO's update from normalised scores (N, K) of the last `ask`."""
        rollout = relabel(self._taken(recipes), self.policy, self.space, self.sampler, self._relabels, self._rng)
        known = {recipe.digest: row for recipe, row in zip(recipes, values, strict=True)}
        worth = self.utility(np.array([known[recipe.digest] for recipe in rollout.recipes]), rollout.preferences)
        self._learn(rollout, self._advantages(rollout, worth, prefixes))
        self._pending = None

    def _imitate(self, count: int) -> None:
        """Learn the best known stacks for `count` sampled preferences."""
        if not self._imitation or not self._memory.stacks:
            return
        sampled = self.sampler(count, self._rng)
        preferences, stacks, utilities = self._memory.lessons(sampled, self.normaliser, self.utility)
        # Other credit pays part of the utility earlier: what is still to come isn't known of these stacks.
        worth = utilities if isinstance(self.credit, Terminal) else None
        imitate(self.policy, self.space, preferences, stacks, worth, self._imitation)

    def _advantages(self, rollout: Rollout, utilities: Array, prefixes: Mapping[str, Sequence[Scores]]) -> Array:
        """(M,) advantage of each action."""
        lengths, at = rollout.lengths, (rollout.episodes, rollout.steps)
        before = None
        if self.needs_prefixes:
            before = prefix_utilities(rollout, prefixes, self.space, self.normaliser, self.utility)
        rewards = self.credit(utilities, lengths, before)
        values = np.zeros_like(rewards)
        values[at] = rollout.values
        gamma, gae_lambda = self.model.gamma, self.model.gae_lambda
        result: Array = advantages(rewards, values, lengths, gamma=gamma, gae_lambda=gae_lambda)[at]
        return result

    def _learn(self, rollout: Rollout, advantages: Array) -> None:
        buffer: Any = EpisodeBuffer(rollout, advantages, self._rng)  # SB3 has no protocol for what it asks of a buffer
        self.model.rollout_buffer, self.model.batch_size = buffer, self._batch_size
        self.model.num_timesteps += len(rollout.episodes)
        self.model.train()
