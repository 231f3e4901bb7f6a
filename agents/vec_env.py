"""The environment as SB3's VecEnv: for any SB3 algorithm, and for comparing with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from envs.episodes import Episodes, Observation
from envs.exits import Exits
from envs.preferences import PreferenceSampler
from envs.space import Bools, Ints, StackSpace
from hm3.exits import prefix_evaluator
from hm3.objectives import Candidate, Evaluator, Normaliser, Utility


class StackVecEnv(VecEnv):
    """Many episodes at once; those that end in the same step are scored together and start anew.

    Args:
        count: Number of episodes.
        space: What may be stacked.
        evaluator: Judges the stacks.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws the preference of each episode.
        seed: Of the preferences.
        exits: Whether observations show early exits; the evaluator must read them.
    """

    def __init__(
        self,
        count: int,
        space: StackSpace,
        evaluator: Evaluator,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        exits: bool = False,
    ) -> None:
        self.render_mode = None
        self._evaluator, self._normaliser, self._utility, self._sampler = evaluator, normaliser, utility, sampler
        self._rng = np.random.default_rng(seed)
        if exits:
            space = replace(space, exits=Exits(prefix_evaluator(evaluator), normaliser))
        self._episodes = Episodes(space, count)
        super().__init__(count, space.observation_space(len(evaluator.names)), space.action_space())

    def reset(self) -> Observation:
        """Start all episodes."""
        if self._seeds[0] is not None:
            self._rng = np.random.default_rng(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        self._episodes.reset(self._sampler(self.num_envs, self._rng))
        return self._episodes.observe()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions that `step_wait` will do."""
        self._actions: Ints = np.asarray(actions, dtype=np.int64).reshape(-1)

    def step_wait(self) -> VecEnvStepReturn:
        """Do one legal action in each episode."""
        self._episodes.step(self._actions)
        rewards = np.zeros(self.num_envs, dtype=np.float32)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(self._episodes.done)
        if len(ended):
            self._judge(ended, rewards, infos)
            self._episodes.reset(self._sampler(len(ended), self._rng), ended)
        dones = np.zeros(self.num_envs, dtype=bool)
        dones[ended] = True
        return self._episodes.observe(), rewards, dones, infos

    def action_masks(self) -> Bools:
        """(N, actions) what is legal."""
        return self._episodes.masks()

    def close(self) -> None:
        """Nothing is held."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, once for each episode."""
        value = getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set the attribute for all episodes; they share it."""
        setattr(self, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method whose result has one entry for each episode."""
        results = getattr(self, method_name)(*method_args, **method_kwargs)
        return [results[index] for index in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """No episode is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def _judge(self, ended: Ints, rewards: NDArray[np.float32], infos: Sequence[dict[str, Any]]) -> None:
        """Write reward and info of episodes that have ended."""
        recipes = self._episodes.recipes(ended)
        scores, last = self._evaluator(recipes), self._episodes.observe(ended)
        values = np.array([score.values for score in scores])
        rewards[ended] = self._utility(self._normaliser(values), self._episodes.preferences[ended])
        for number, index in enumerate(ended):
            infos[index].update(
                scores=values[number],
                candidate=Candidate(recipes[number], scores[number]),
                terminal_observation={key: column[number] for key, column in last.items()},
            )
