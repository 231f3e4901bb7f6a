"""A source that follows each episode's preference."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from envs import Episodes, Pool, StackEnv
from hm3.errors import ConfigurationError
from hm3.recipe import Recipe
from tests.conditioned_table import NAME, ConditionedTable, Follower, conditioned_space, follower, weights_of

SPACE = conditioned_space()
FOLLOWER = SPACE.pool.names.index(NAME)
PREFERENCE = (0.7, 0.2, 0.1)


def written(layers, host, *preferences, space=SPACE):
    """The recipes of one stack under several preferences."""
    episodes = Episodes(space, len(preferences))
    episodes.reset(np.array(preferences))
    for action in (SPACE.stop + 1 + host, *layers, SPACE.stop):
        episodes.step(np.full(len(preferences), action))
    return episodes.recipes()


def layers(*sources):
    return [source * SPACE.layers + layer for layer, source in enumerate(sources)]


@pytest.mark.filterwarnings("ignore::UserWarning")  # both checkers speak of what they do not check
def test_both_checkers_accept_the_environment():
    env = StackEnv(SPACE, ConditionedTable(SPACE.pool))
    check_env(env, skip_render_check=True)
    sb3_check_env(env)


def test_its_layers_have_the_episodes_own_preference():
    first, second = written(layers(0, FOLLOWER, 0, 0), 0, PREFERENCE, (0.1, 0.2, 0.7))
    assert weights_of(first) == PREFERENCE
    assert weights_of(second) == (0.1, 0.2, 0.7)
    assert first.digest != second.digest


def test_as_a_host_it_has_it_too():
    [recipe] = written(layers(0, 1, 2, 3), FOLLOWER, PREFERENCE)
    assert recipe.embedding_host == NAME
    assert weights_of(recipe) == PREFERENCE


def test_other_stacks_are_the_same_under_every_preference():
    first, second = written(layers(0, 1, 2, 3), 0, PREFERENCE, (0, 0, 1))
    assert first == second
    assert weights_of(first) is None


def test_its_own_layers_under_its_own_host_are_the_whole_source():
    [recipe] = written(layers(*[FOLLOWER] * 4), FOLLOWER, PREFERENCE)
    assert recipe == Recipe.identity(follower(PREFERENCE), 4)


def test_without_preferences_it_is_the_default():
    [recipe] = written(layers(0, FOLLOWER, 0, 0), 0, ())
    assert weights_of(recipe) == (1 / 3,) * 3


def test_a_recipe_comes_back_with_its_preference():
    [recipe] = written(layers(0, FOLLOWER, 0, 0), 0, PREFERENCE)
    assert SPACE.recipe(*SPACE.encode(recipe), SPACE.conditioned_of(recipe)) == recipe


def test_the_environment_rewards_the_model_of_its_own_preference():
    env = StackEnv(SPACE, ConditionedTable(SPACE.pool))
    scores = []
    for preference in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)):
        env.reset(options={"preference": preference})
        for action in (SPACE.stop + 1, *layers(*[FOLLOWER] * 4)):
            env.step(action)
        info = env.step(SPACE.stop)[-1]
        assert weights_of(info["candidate"].recipe) == preference
        scores.append(info["scores"])
    assert scores[0] - scores[1] == pytest.approx([0.3, 0.0, -0.3])


def test_early_exits_are_those_of_its_own_preference():
    env, shown = StackEnv(SPACE, ConditionedTable(SPACE.pool), exits=True), []
    for preference in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)):
        env.reset(options={"preference": preference})
        env.step(SPACE.stop + 1)
        shown.append(env.step(layers(FOLLOWER)[0])[0]["exits"])
    assert shown[0][1] > shown[1][1] + 0.2
    assert shown[0][3] < shown[1][3] - 0.2


class Asked(Follower):
    def __init__(self):
        self.weights = []

    def __call__(self, weights):
        self.weights.append(tuple(weights))
        return super().__call__(weights)


def test_only_stacks_that_use_it_ask_for_it():
    asked = Asked()
    space = replace(SPACE, pool=replace(SPACE.pool, conditioned=asked))
    written(layers(0, FOLLOWER, 0, 0), 0, PREFERENCE, space=space)
    written(layers(0, 1, 2, 3), FOLLOWER, (1, 0, 0), space=space)
    written(layers(0, 1, 2, 3), 0, (0, 1, 0), space=space)
    assert asked.weights == [PREFERENCE, (1, 0, 0)]


@pytest.mark.parametrize("host", ["follow", "base", NAME])
def test_a_space_knows_which_stacks_follow(host):
    space = conditioned_space(host=host) if host != NAME else replace(SPACE, rules=replace(SPACE.rules, host=NAME))
    stacks = [layers(0, 0, 0, 0), layers(0, FOLLOWER, 0, 0)]
    recipes = [space.recipe(stack, space.fixed_host, follower(PREFERENCE)) for stack in stacks]
    assert [weights_of(recipe) is not None for recipe in recipes] == [host == NAME, True]
    assert [space.follows(stack, space.fixed_host) for stack in stacks] == [host == NAME, True]


def test_a_pool_must_have_a_source_of_its_name():
    with pytest.raises(ConfigurationError, match=r"pool\.conditioned: of .*, got follower"):
        Pool(SPACE.pool.sources[:-1], SPACE.pool.depths[:-1], Follower())
