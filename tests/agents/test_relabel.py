import dataclasses

import numpy as np
import pytest
import torch

from agents import PPO
from agents.imitation import replay
from agents.relabel import joined, relabel, select
from agents.rollout import play
from envs import Dirichlet, Episodes, TableEvaluator, table_space
from hm3.objectives import Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(4)
POLICY = PPO(SPACE, TableEvaluator(SPACE.pool).normaliser(), Tchebycheff(), Dirichlet(3)).policy


@dataclasses.dataclass(frozen=True)
class Always:
    """A sampler of one preference."""

    weights: tuple[float, ...] = (0.2, 0.3, 0.5)
    objectives: int = 3

    def __call__(self, count, rng):
        return np.tile(self.weights, (count, 1))


@pytest.fixture
def rollout():
    return play(POLICY, SPACE, Always()(20, None), np.random.default_rng(0))


def test_the_same_preference_takes_every_episode(rollout):
    more = relabel(rollout, POLICY, SPACE, Always(), 2, np.random.default_rng(0))
    assert more.recipes == rollout.recipes * 3
    assert more.lengths.tolist() == rollout.lengths.tolist() * 3


def test_what_is_taken_is_as_the_policy_sees_it_under_the_new_preference(rollout):
    more = relabel(rollout, POLICY, SPACE, Dirichlet(3), 3, np.random.default_rng(0))
    assert len(more.recipes) > 20
    stacks = [SPACE.encode(recipe) for recipe in more.recipes]
    observations, masks, actions, episodes = replay(SPACE, more.preferences, stacks)
    log_probs, values = POLICY.assess(observations, masks)
    order = np.lexsort((more.steps, more.episodes))  # episode by episode, as `again`
    again = np.argsort(episodes, kind="stable")
    chosen = log_probs[np.arange(len(values)), actions]
    assert more.log_probs[order] == pytest.approx(chosen[again], abs=1e-5)
    assert more.values[order] == pytest.approx(values[again], abs=1e-5)
    assert_actions_write_recipes(more)


def test_selected_and_joined_episodes_stay_whole(rollout):
    chosen = np.arange(20) % 3 == 0
    again = joined(select(rollout, chosen), select(rollout, ~chosen))
    assert again.recipes == [rollout.recipes[index] for index in (*np.flatnonzero(chosen), *np.flatnonzero(~chosen))]
    assert_actions_write_recipes(again)


def assert_actions_write_recipes(rollout):
    episodes = Episodes(SPACE, len(rollout.recipes))
    for step in range(rollout.steps.max() + 1):
        now = rollout.steps == step
        episodes.step(rollout.seen.actions.numpy()[rollout.states[now]], rollout.episodes[now])
    assert episodes.recipes() == rollout.recipes
