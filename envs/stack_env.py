"""One stack at a time, as a Gymnasium environment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

from envs.episodes import Episodes, Observation
from envs.exits import Exits
from envs.preferences import Dirichlet, PreferenceSampler
from envs.space import Bools, StackSpace
from envs.table import TableEvaluator, table_space
from hm3.exits import prefix_evaluator
from hm3.objectives import Candidate, Evaluator, Normaliser, Tchebycheff, Utility


class StackEnv(gym.Env[Observation, np.int64]):
    """Writes a stack layer by layer and is rewarded by the utility that a preference makes of its scores.

    Observation: ``preference`` (K,), ``path`` (max_depth,) of tokens (0 not yet written, else 1 + layer action),
        ``host`` (0 none, else 1 + source), ``length``; with `exits` also ``exits`` (1 + K,), see `Exits`.
    Action: a layer, *stop* or a host; see `StackSpace`. Illegal actions are masked by `action_masks`; one that is
        taken all the same is replaced by the nearest legal number.
    Reward: 0 until the end, then the utility of the normalised scores.
    End: *stop*; never truncated. ``info["scores"]`` (K,) has the raw scores, ``info["candidate"]`` the candidate.
    Use: ``gym.make("hm3/Stack-v0")`` is a small working instance over `TableEvaluator`;
        ``reset(options={"preference": [...]})`` asks for one preference.

    Args:
        space: What may be stacked.
        evaluator: Judges the stack.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws the preference of each episode.
        exits: Whether observations show early exits; the evaluator must read them.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self,
        space: StackSpace | None = None,
        evaluator: Evaluator | None = None,
        normaliser: Normaliser | None = None,
        utility: Utility | None = None,
        sampler: PreferenceSampler | None = None,
        *,
        exits: bool = False,
    ) -> None:
        self.space = space or table_space()
        table = TableEvaluator(self.space.pool)
        self.evaluator: Evaluator = evaluator or table
        self.normaliser = normaliser or table.normaliser()
        self.utility: Utility = utility or Tchebycheff()
        if exits:
            self.space = replace(self.space, exits=Exits(prefix_evaluator(self.evaluator), self.normaliser))
        objectives = len(self.evaluator.names)
        self.sampler: PreferenceSampler = sampler or Dirichlet(objectives)
        self.observation_space: gym.Space[Any] = self.space.observation_space(objectives)
        self.action_space = self.space.action_space()
        self.reward_space = gym.spaces.Box(-np.inf, np.inf, (objectives,), np.float64)
        self._episodes = Episodes(self.space, 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode under ``options["preference"]`` or a sampled preference."""
        super().reset(seed=seed)
        stated = (options or {}).get("preference")
        preferences = self.sampler(1, self.np_random) if stated is None else np.array([stated], dtype=float)
        self._episodes.reset(preferences)
        return self._observe(), {}

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one action."""
        legal = np.flatnonzero(self.action_masks())
        nearest = legal[np.abs(legal - int(action)).argmin()]
        self._episodes.step(np.array([nearest]))
        ended = bool(self._episodes.done[0])
        reward, info = self._judge() if ended else (0.0, {})
        return self._observe(), reward, ended, False, info

    def action_masks(self) -> Bools:
        """(actions,) what is legal now; the name that sb3-contrib looks for."""
        mask: Bools = self._episodes.masks()[0]
        return mask

    def _judge(self) -> tuple[float, dict[str, Any]]:
        [recipe] = self._episodes.recipes()
        [scores] = self.evaluator([recipe])
        reward = self.utility(self.normaliser(scores.values), self._episodes.preferences[0])
        return float(reward), {"scores": np.array(scores.values), "candidate": Candidate(recipe, scores)}

    def _observe(self) -> Observation:
        return {name: values[0] for name, values in self._episodes.observe().items()}
