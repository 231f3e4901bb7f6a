import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_for_sb3

import envs  # noqa: F401 - registers the environment
from envs import Dirichlet, PathRules, Pool, StackEnv, StackSpace, TableEvaluator, VectorReward, table_space
from hm3.objectives import Linear
from hm3.recipe import Source


def uneven_space():
    sources = tuple(Source(name, name) for name in ("base", "math", "code"))
    return StackSpace(Pool(sources, (4, 6, 3)), PathRules(2, 8, max_repeats=2, reach=3))


ENVIRONMENTS = {
    "default": lambda: gym.make("hm3/Stack-v0"),
    "follow": lambda: gym.make("hm3/Stack-v0", space=table_space(host="follow")),
    "named host, free order": lambda: gym.make("hm3/Stack-v0", space=table_space(host="code", reach=None)),
    "sources of different depth": lambda: gym.make("hm3/Stack-v0", space=uneven_space()),
    "linear utility, no corners": lambda: gym.make("hm3/Stack-v0", utility=Linear(), sampler=Dirichlet(3, 0.0)),
}


@pytest.fixture(params=ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def env(request):
    return request.param()


def finish(env, rng):
    """Random legal play to the end."""
    total = 0.0
    while True:
        action = rng.choice(np.flatnonzero(env.get_wrapper_attr("action_masks")()))
        observation, reward, terminated, truncated, info = env.step(action)
        total += reward
        assert not truncated
        if terminated:
            return observation, total, info


def test_gymnasium_and_sb3_accept_it(env):
    check_env(env.unwrapped, skip_render_check=True)
    check_for_sb3(env.unwrapped, warn=True)


def test_random_legal_play_keeps_to_the_spaces(env):
    rng = np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    for _ in range(20):
        assert env.observation_space.contains(observation)
        last, total, info = finish(env, rng)
        assert env.observation_space.contains(last)
        assert np.isfinite(total)
        assert info["candidate"].recipe.depth == last["length"]
        observation, _ = env.reset()


def test_the_reward_is_the_utility_of_the_normalised_scores():
    env = StackEnv()
    env.reset(options={"preference": [0.5, 0.5, 0.0]})
    _, total, info = finish(gym.Wrapper(env), np.random.default_rng(1))
    normalised = env.normaliser(info["scores"])
    assert total == pytest.approx(float(env.utility(normalised, np.array([0.5, 0.5, 0.0]))))
    assert info["candidate"].scores.values == tuple(info["scores"])


def test_an_illegal_action_becomes_the_nearest_legal_one():
    env = StackEnv()
    env.reset(seed=0)
    observation, *_ = env.step(0)  # a layer, where a host is to be picked
    assert observation["host"] == 1
    assert observation["length"] == 0


def test_the_vector_reward_comes_at_the_end_and_is_observed():
    env = VectorReward(gym.make("hm3/Stack-v0"))
    observation, _ = env.reset(seed=3)
    assert env.observation_space.contains(observation)
    assert observation["returns"].tolist() == [0, 0, 0]
    last, total, info = finish(env, np.random.default_rng(3))
    assert env.observation_space.contains(last)
    assert total.tolist() == env.unwrapped.normaliser(info["scores"]).tolist()
    assert last["returns"] == pytest.approx(total)
    assert env.reward_space.contains(total)
    assert env.unwrapped.reward_space.shape == (3,)


def test_in_the_table_a_hybrid_beats_every_source_at_its_own_objective():
    space = table_space()
    table = TableEvaluator(space.pool)
    hybrid = space.recipe([8, 9, 10, 11, 28, 29, 30, 31], 2)  # the math expert below, the one of translation above
    [expert, mixed] = table.normaliser()([one.values for one in table([space.pool.identities()[1], hybrid])])
    assert expert[0] == pytest.approx(1.0)
    assert 1.2 < mixed[0] < 1.5
