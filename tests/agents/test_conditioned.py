"""Agents over a pool with a source that follows each episode's preference."""

import numpy as np
import pytest
import torch

from agents import PPO, LocalSearch, RandomSearch
from agents.imitation import Memory
from agents.local_search import RETUNE
from agents.relabel import relabel
from agents.rollout import play
from envs import Dirichlet
from hm3.objectives import Scores, Tchebycheff
from hm3.recipe import Recipe
from tests.conditioned_table import NAME, ConditionedTable, conditioned_space, follower, weights_of

torch.set_num_threads(1)
SPACE = conditioned_space()
TABLE = ConditionedTable(SPACE.pool)


class Listed:
    """Gives one preference after the other, and again."""

    objectives = 3

    def __init__(self, *weights):
        self.weights = weights
        self.given = 0

    def __call__(self, count, rng):
        rows = [self.weights[(self.given + i) % len(self.weights)] for i in range(count)]
        self.given += count
        return np.array(rows, dtype=float)


def arguments(sampler=None):
    return SPACE, TABLE.normaliser(), Tchebycheff(), sampler or Dirichlet(3)


def whole(weights):
    return Recipe.identity(follower(weights), 4)


def test_the_policy_writes_each_stack_for_its_own_preference():
    agent = PPO(*arguments(Listed((0.6, 0.3, 0.1), (0.0, 0.5, 0.5))))
    used = [(i, weights_of(recipe)) for i, recipe in enumerate(agent.ask(40)) if weights_of(recipe)]
    assert len(used) > 5
    assert all(weights == ((0.6, 0.3, 0.1), (0.0, 0.5, 0.5))[i % 2] for i, weights in used)


def test_its_proposals_too():
    agent, preferences = PPO(*arguments()), np.array([[0.6, 0.3, 0.1], [0.0, 0.5, 0.5]])
    found = {weights_of(recipe) for recipe in agent.propose(preferences, 8, rng=np.random.default_rng(0))}
    assert found - {None} == {tuple(row) for row in preferences.tolist()}


def test_no_score_is_taken_for_that_of_another_preference():
    agent, rng = PPO(*arguments()), np.random.default_rng(0)
    rollout = play(agent.policy, SPACE, Dirichlet(3)(60, rng), rng)
    more = relabel(rollout, agent.policy, SPACE, Dirichlet(3), 3, rng)
    assert len(more.recipes) > len(rollout.recipes)
    for recipe, preference in zip(more.recipes, more.preferences, strict=True):
        assert weights_of(recipe) in (None, tuple(preference.tolist()))


def test_self_imitation_remembers_no_stack_that_another_preference_would_change():
    memory = Memory(SPACE)
    memory.add([whole((0.6, 0.3, 0.1))], [Scores(TABLE.names, (1.0, 1.0, 1.0))])
    assert memory.stacks == []


def test_training_goes_on_as_if_nothing_had_happened(tmp_path):
    def train(agent, rollouts):
        for _ in range(rollouts):
            recipes = agent.ask(12)
            agent.tell(recipes, TABLE(recipes))
        return [recipe.digest for recipe in recipes]

    agent = PPO(*arguments(), rollouts=4)
    train(agent, 2)
    agent.save(tmp_path)
    other = PPO(*arguments(), rollouts=4, seed=5)
    other.restore(tmp_path)
    assert train(other, 2) == train(agent, 2)


def test_local_search_keeps_the_preference_of_what_it_changes():
    search = LocalSearch(*arguments(Listed((0.0, 0.0, 1.0))), restart=0.0)
    search.tell([whole((0.6, 0.3, 0.1))], [Scores(TABLE.names, (0.9, 0.9, 0.9))])
    search._moves._paid[:RETUNE] = 1e6  # all moves but the one that changes the preference
    recipes = [recipe for recipe in search.ask(30) if weights_of(recipe)]
    assert {weights_of(recipe) for recipe in recipes} == {(0.6, 0.3, 0.1)}
    assert len({recipe.path for recipe in recipes}) > 5


def test_local_search_retunes():
    search = LocalSearch(*arguments(Listed((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))), restart=0.0)
    search.tell([whole((0.6, 0.3, 0.1))], [Scores(TABLE.names, (0.9, 0.9, 0.9))])
    search._moves._paid[RETUNE] = 1e9
    recipes = search.ask(2)
    assert recipes == [whole((0.0, 0.0, 1.0)), whole((0.0, 1.0, 0.0))]


@pytest.mark.parametrize("sampler", [None, Dirichlet(3)])
def test_random_search_draws_preferences_where_it_can(sampler):
    search = RandomSearch(SPACE, sampler)
    found = {weights_of(recipe) for recipe in search.ask(40)} - {None}
    assert len(found) == 1 if sampler is None else len(found) > 5


def test_searches_find_better_models_with_it():
    search = LocalSearch(*arguments())
    for _ in range(8):
        recipes = search.ask(32)
        search.tell(recipes, TABLE(recipes))
    assert sum(NAME in {source.name for source in each.recipe.sources} for each in search.front) > len(search.front) / 2
