"""Credit by early exits pays sooner and changes nothing about what is best."""

import numpy as np
import pytest
import torch

from agents import PPO, Potential, Spread, Terminal
from agents.credit import prefix_utilities
from agents.rollout import Rollout
from envs import Dirichlet, Episodes, PathRules, Pool, StackSpace, TableEvaluator, table_space
from hm3.errors import ConfigurationError
from hm3.judged import Judged
from hm3.objectives import Linear, Normaliser, Tchebycheff
from hm3.offline import explore
from hm3.recipe import Source

torch.set_num_threads(1)
SPACE = table_space(4)
TABLE = TableEvaluator(SPACE.pool)
GIVEN = (TABLE.normaliser(), Tchebycheff(), Dirichlet(3))


def test_potential_pays_by_the_change_of_what_stands():
    utilities, lengths = np.array([6.0, -1.0]), np.array([4, 2])
    before = np.array([[0.0, 0.0, 2.0, 6.0], [0.0, -1.0, 9.0, 9.0]])  # what comes after an end counts for nothing
    rewards = Potential()(utilities, lengths, before)
    assert rewards.tolist() == [[0, 2, 4, 0], [-1, 0, 0, 0]]
    assert Potential(gamma=0.5)(utilities, lengths, before).tolist() == [[0, 1, 1, 0], [-0.5, 0, 0, 0]]


def test_rewards_of_any_episode_add_up_to_the_utility_less_what_stood_at_the_start():
    rng = np.random.default_rng(0)
    utilities, lengths, before = rng.normal(size=50), rng.integers(1, 9, size=50), rng.normal(size=(50, 8))
    lengths[0] = 8
    rewards = Potential()(utilities, lengths, before)
    assert rewards.sum(axis=1) == pytest.approx(utilities - before[:, 0])


@pytest.fixture(params=["searched", "a"])
def small(request):
    pool = Pool((Source("a", "1"), Source("b", "2")), (3, 3))
    return StackSpace(pool, PathRules(1, 3, max_repeats=1, reach=1, host=request.param))


def whole_episodes(space):
    """Every legal sequence of actions."""
    found, open_ends = [], [()]
    while open_ends:
        actions = open_ends.pop()
        episodes = Episodes(space, 1)
        for action in actions:
            episodes.step(np.array([action]))
        if episodes.done[0]:
            found.append((actions, episodes.recipes()[0]))
        else:
            open_ends += [(*actions, action) for action in np.flatnonzero(episodes.masks()[0]).tolist()]
    return found


def rollout_of(recipes, lengths, preferences):
    """Only what credit looks at."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return Rollout(recipes, preferences, rows, None, None, None, None, None)


def best_actions(episodes, rewards):
    """Every state -> the actions that lead to the largest sum of rewards from there on."""
    worth = {}
    for (actions, _), row in zip(episodes, rewards, strict=True):
        for step in range(len(actions)):
            known = worth.setdefault(actions[:step], {})
            known[actions[step]] = max(known.get(actions[step], -np.inf), row[step:].sum())
    return {
        state: {action for action, value in known.items() if value > max(known.values()) - 1e-9}
        for state, known in worth.items()
    }


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.2, 0.3, 0.5)])
def test_what_is_best_in_every_state_stays_best(small, weights):
    table, episodes = TableEvaluator(small.pool), whole_episodes(small)
    recipes = [recipe for _, recipe in episodes]
    lengths = np.array([len(actions) for actions, _ in episodes])
    normaliser, utility = Normaliser(table.names, (0.0,) * 3, (1.0,) * 3), Tchebycheff()
    utilities = utility(normaliser([scores.values for scores in table(recipes)]), np.array(weights))
    prefixes = {recipe.digest: scores for recipe, scores in zip(recipes, table.prefixes(recipes), strict=True)}
    rollout = rollout_of(recipes, lengths, np.tile(weights, (len(recipes), 1)))
    before = prefix_utilities(rollout, prefixes, small, normaliser, utility)
    shaped = Potential()(utilities, lengths, before)
    assert len(episodes) > 30
    assert shaped.sum(axis=1) == pytest.approx(utilities)  # nothing stands at the start
    assert np.abs(shaped[:, 0]).max() > 0 or small.picks_host
    assert best_actions(episodes, shaped) == best_actions(episodes, Terminal()(utilities, lengths))
    per_action = 0.1 * (np.arange(shaped.shape[1]) < lengths[:, None])  # no potential: it pays for length
    assert best_actions(episodes, shaped + per_action) != best_actions(episodes, shaped)


def test_each_episode_sees_prefixes_under_its_own_preference():
    recipe = SPACE.recipe([0, 5], 1)
    scores = TABLE.prefixes([recipe])[0]
    unit = Normaliser(TABLE.names, (0.0,) * 3, (1.0,) * 3)
    found = prefix_utilities(
        rollout_of([recipe, recipe], [4, 4], np.eye(3)[:2]), {recipe.digest: scores}, SPACE, unit, Linear()
    )
    for objective in (0, 1):
        values = [each.values[objective] for each in scores]
        assert found[objective].tolist() == [0.0, 0.0, *values]  # before the host, before the first layer


def test_the_offline_loop_hands_prefixes_to_those_who_need_them():
    learner = PPO(SPACE, *GIVEN, credit=Potential(), rollouts=2)
    before = learner.policy.state_dict()["value_net.weight"].clone()
    done = list(explore(learner, TABLE, Judged(GIVEN[0]), rollouts=2, episodes=12))
    assert len(done) == 2
    assert done[0].scores == TABLE(done[0].recipes)
    assert all(np.isfinite(list(learner.metrics.values())))
    assert (learner.policy.state_dict()["value_net.weight"] != before).any()
    recipes = learner.ask(4)
    with pytest.raises(ValueError, match="prefixes: one list of scores for each recipe, got none"):
        learner.tell(recipes, TABLE(recipes))


def test_an_evaluator_without_early_exits_is_named():
    class Plain:
        names = TABLE.names

        def __call__(self, recipes):
            return TABLE(recipes)

    learner = PPO(SPACE, *GIVEN, credit=Potential())
    with pytest.raises(ConfigurationError, match="early exits: an evaluator with `early` and `prefixes`, got Plain"):
        list(explore(learner, Plain(), Judged(GIVEN[0]), rollouts=1, episodes=4))


def test_other_credit_asks_for_no_early_exits():
    assert not PPO(SPACE, *GIVEN, credit=Spread()).needs_prefixes
    assert not PPO(SPACE, *GIVEN).needs_prefixes


def test_what_would_change_the_best_policy_is_refused():
    with pytest.raises(ConfigurationError, match=r"agent\.credit\.gamma: agent\.gamma, which is 0\.9, got 1"):
        PPO(SPACE, *GIVEN, credit=Potential(), gamma=0.9)
    with pytest.raises(ConfigurationError, match=r"agent\.credit: env\.host=searched .* got follow"):
        PPO(table_space(4, host="follow"), *GIVEN, credit=Potential())
    PPO(table_space(4, host="follow"), *GIVEN, credit=Potential(own_ends=True))
