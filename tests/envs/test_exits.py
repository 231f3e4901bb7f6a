"""Observations that show what the stack so far scores."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_for_sb3

import envs  # noqa: F401 - registers the environment
from envs import Episodes, Exits, TableEvaluator, table_space
from envs.exits import LIMIT
from hm3.exits import PrefixEvaluator, prefix
from hm3.objectives import Normaliser, Scores


class Counting(TableEvaluator):
    """Keeps what it is asked for."""

    def __init__(self, pool):
        super().__init__(pool)
        self.asked = []

    def early(self, recipes):
        self.asked.append(len(recipes))
        return super().early(recipes)


@pytest.fixture(params=["searched", "follow", "math"])
def space(request):
    return table_space(4, host=request.param)


@pytest.fixture
def table(space):
    return Counting(space.pool)


@pytest.fixture
def showing(space, table):
    return replace(space, exits=Exits(table, table.normaliser()))


def test_gymnasium_and_sb3_accept_it(space):
    env = gym.make("hm3/Stack-v0", space=space, exits=True)
    check_env(env.unwrapped, skip_render_check=True)
    check_for_sb3(env.unwrapped, warn=True)


def test_what_is_shown_is_what_stands(showing, table):
    """Zeros before the first layer; then 1 and the normalised scores of the stack so far, under its head so far."""
    episodes, rng = Episodes(showing, 5), np.random.default_rng(0)
    episodes.reset(np.tile([0.2, 0.3, 0.5], (5, 1)))
    while len(rows := episodes.running):
        seen = episodes.observe(rows)
        for row, shown in zip(rows, seen["exits"], strict=True):
            length = episodes.length[row]
            stack = showing.recipe((episodes.path[row, :length] - 1).tolist(), episodes.host[row]) if length else None
            [scores] = table([stack]) if length else [None]
            expected = [1.0, *table.normaliser()(scores.values)] if length else [0.0] * 4
            assert shown == pytest.approx(expected, abs=1e-6)
        masks = episodes.masks(rows)
        episodes.step(np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]), rows)


def test_each_stack_is_asked_for_once_and_many_at_a_time(showing, table):
    episodes = Episodes(showing, 6)
    episodes.reset(np.tile([1.0, 0.0, 0.0], (6, 1)))
    if showing.picks_host:
        episodes.step(np.full(6, showing.stop + 1))
    assert table.asked == []  # nothing stands
    episodes.step(np.array([0, 0, 0, 4, 4, 8]))
    for _ in range(2):
        episodes.observe()
    assert table.asked == [3]


def test_nothing_is_asked_unless_it_is_looked_at(showing, table):
    episodes = Episodes(showing, 2)
    if showing.picks_host:
        episodes.step(np.full(2, showing.stop + 1))
    episodes.step(np.array([0, 0]))
    episodes.masks()
    assert table.asked == []


def test_without_it_nothing_is_shown(space):
    assert "exits" not in space.observation_space(3).spaces
    assert "exits" not in Episodes(space, 1).observe()


def test_what_is_shown_keeps_to_its_bounds(space):
    class Wild(TableEvaluator):
        def early(self, recipes):
            return [Scores(self.names, (-1e9, 1e9, 0.5), valid=False) for _ in recipes]

    exits = Exits(Wild(space.pool), Normaliser(TableEvaluator(space.pool).names, (0.0,) * 3, (1.0,) * 3))
    assert exits([None, space.recipe([0], 1)]).tolist() == [[0, 0, 0, 0], [1, -LIMIT, LIMIT, 0.5]]


def test_the_table_reads_prefixes(space):
    table = TableEvaluator(space.pool)
    recipe = space.recipe([0, 1, 6], 1)
    assert isinstance(table, PrefixEvaluator)
    assert table.prefixes([recipe]) == [table([prefix(recipe, 1), prefix(recipe, 2), recipe])]
