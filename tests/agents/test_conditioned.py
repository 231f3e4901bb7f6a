"""Agents over a pool with a source that follows each episode's preference."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import PPO, LocalSearch, Potential, RandomSearch, StackVecEnv
from agents.imitation import _written
from agents.local_search import JOIN, RETUNE
from agents.memory import Memory
from agents.relabel import relabel
from agents.rollout import play
from envs import Dirichlet, Exits
from hm3.objectives import Normaliser, Scores, Tchebycheff
from hm3.recipe import LayerRef, Recipe
from tests.conditioned_table import NAME, ConditionedTable, conditioned_space, follower, weights_of

torch.set_num_threads(1)
SPACE = conditioned_space()
TABLE = ConditionedTable(SPACE.pool)
BASE = SPACE.pool.sources[0]


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


def memory(*, own):
    known = Memory(SPACE)
    known.add(SPACE.pool.identities(), [Scores(TABLE.names, (0.2, 0.2, 0.2))] * 5)
    known.add([whole((0.6, 0.3, 0.1))], [Scores(TABLE.names, (0.9, 0.0, 0.0))], np.array([own]))
    return known


def lessons(known):
    return known.lessons(np.eye(3), Normaliser(TABLE.names, (0,) * 3, (1,) * 3), linear)


def linear(values, preferences):
    return (values * preferences).sum(axis=-1)


def test_a_stack_is_taught_for_the_preference_for_which_it_was_written():
    preferences, stacks, utilities = lessons(memory(own=(0.6, 0.3, 0.1)))
    assert preferences.tolist() == [[0.6, 0.3, 0.1], [0, 1, 0], [0, 0, 1]]
    assert utilities == pytest.approx([0.9 * 0.6, 0.2, 0.2])
    assert [SPACE.follows(*stack) for stack in stacks] == [True, False, False]


def test_a_stack_that_was_not_written_for_its_preference_is_not_taught():
    preferences, _, utilities = lessons(memory(own=(0.1, 0.3, 0.6)))
    assert preferences.tolist() == np.eye(3).tolist()
    assert utilities == pytest.approx([0.2, 0.2, 0.2])


def test_the_default_is_taught_for_equal_weights():
    known = Memory(SPACE)
    known.add(SPACE.pool.identities(), [*[Scores(TABLE.names, (0.2, 0.2, 0.2))] * 4, Scores(TABLE.names, (0.9,) * 3)])
    assert lessons(known).preferences == pytest.approx(np.full((3, 3), 1 / 3))


def test_what_no_episode_can_write_is_not_taught():
    known = memory(own=(0.1, 0.3, 0.6))
    short = Recipe.identity(follower((0.6, 0.3, 0.1)), SPACE.rules.min_depth - 1)
    known.add([short], [Scores(TABLE.names, (0.9, 0.9, 0.9))], np.array([(0.6, 0.3, 0.1)]))
    assert lessons(known).preferences.tolist() == np.eye(3).tolist()


def test_what_something_better_covers_is_not_kept():
    known, worse = memory(own=(0.6, 0.3, 0.1)), (0.0, 0.5, 0.5)
    known.add([whole(worse)], [Scores(TABLE.names, (0.8, 0.0, 0.0))], np.array([worse]))
    assert [own for _, own in known.to_json()["followed"]["items"]] == [(1 / 3,) * 3, (0.6, 0.3, 0.1)]


def test_the_policy_is_taught_its_own_finds(monkeypatch):
    taught = []
    monkeypatch.setattr("agents.ppo.imitate", lambda policy, space, *lessons: taught.append(lessons[:2]))
    agent = PPO(*arguments(Listed((0.6, 0.3, 0.1), (0.0, 0.5, 0.5))))
    agent.remember(SPACE.pool.identities(), [Scores(TABLE.names, (0.0, 0.0, 0.0))] * 5)
    recipes = agent.ask(20)
    agent.sampler = Dirichlet(3)
    agent.tell(recipes, TABLE(recipes))
    [(preferences, stacks)] = taught
    bound = {tuple(own) for own, stack in zip(preferences.tolist(), stacks, strict=True) if SPACE.follows(*stack)}
    assert bound
    assert bound <= {(0.6, 0.3, 0.1), (0.0, 0.5, 0.5)}


def test_stacks_that_follow_none_are_looked_at_once():
    batch = _written(PPO(*arguments()).policy, SPACE, np.eye(3), [SPACE.encode(Recipe.identity(BASE, 4))] * 3)
    assert (len(batch.states.ends), len(batch.preferences)) == (1, 3)


def test_what_is_taught_survives_json():
    known, again = memory(own=(0.6, 0.3, 0.1)), Memory(SPACE)
    again.restore(json.loads(json.dumps(known.to_json())))
    for ours, theirs in zip(lessons(again), lessons(known), strict=True):
        assert np.array_equal(np.array(ours, dtype=object), np.array(theirs, dtype=object))


def test_what_is_taught_shows_the_exits_of_its_own_preference():
    space = replace(SPACE, exits=Exits(TABLE, TABLE.normaliser()))
    policy = PPO(space, *arguments()[1:]).policy
    stacks = [space.encode(whole((1, 0, 0)))] * 2
    seen = _written(policy, space, np.eye(3)[:2], stacks)
    first, second = (seen.states.observations["exits"][seen.rows[seen.owners == owner]][-1] for owner in (0, 1))
    assert (first - second)[1] > 0.2
    assert (first - second)[2] < -0.2


def test_many_episodes_at_once_are_each_judged_for_their_own_preference():
    env = StackVecEnv(8, SPACE, TABLE, *arguments()[1:])
    shown, rng, found = env.reset()["preference"], np.random.default_rng(0), []
    for _ in range(100):
        env.step_async(np.array([rng.choice(np.flatnonzero(mask)) for mask in env.action_masks()]))
        seen, _, done, infos = env.step_wait()
        found += [(weights_of(infos[row]["candidate"].recipe), shown[row]) for row in np.flatnonzero(done)]
        shown = seen["preference"]
    used = [(weights, preference) for weights, preference in found if weights]
    assert len(used) > 10
    for weights, preference in used:
        assert weights == pytest.approx(preference)


@pytest.mark.parametrize("credit", [None, Potential()])
def test_training_goes_on_as_if_nothing_had_happened(tmp_path, credit):
    def build(seed):
        space = replace(SPACE, exits=Exits(TABLE, TABLE.normaliser())) if credit else SPACE
        return PPO(space, *arguments()[1:], rollouts=4, seed=seed, credit=credit)

    def train(agent, rollouts):
        agent.remember(SPACE.pool.identities(), TABLE(SPACE.pool.identities()))
        for _ in range(rollouts):
            recipes = agent.ask(12)
            agent.tell(recipes, TABLE(recipes), TABLE.prefixes(recipes))
        return [(recipe.digest, weights_of(recipe)) for recipe in recipes]

    agent, other = build(seed=0), build(seed=5)
    train(agent, 2)
    agent.save(tmp_path)
    other.restore(tmp_path)
    ended = train(agent, 2)
    assert train(other, 2) == ended
    assert any(weights for _, weights in ended)


def test_local_search_keeps_the_preference_of_what_it_changes():
    search = LocalSearch(*arguments(Listed((0.0, 0.0, 1.0))), restart=0.0)
    search.tell([whole((0.6, 0.3, 0.1))], [Scores(TABLE.names, (0.9, 0.9, 0.9))])
    search._moves._paid[:RETUNE] = 1e6  # all moves but the one that changes the preference
    recipes = [recipe for recipe in search.ask(30) if weights_of(recipe)]
    assert {weights_of(recipe) for recipe in recipes} == {(0.6, 0.3, 0.1)}
    assert len({recipe.path for recipe in recipes}) > 5


@pytest.mark.parametrize("restart", [0.0, 1.0])
def test_where_there_is_no_preference_yet_local_search_takes_the_one_it_is_to_improve(restart):
    search = LocalSearch(*arguments(Listed((0.0, 0.0, 1.0))), restart=restart)
    search.tell([Recipe.identity(BASE, 4)], [Scores(TABLE.names, (0.9, 0.9, 0.9))])
    assert {weights_of(recipe) for recipe in search.ask(40)} == {None, (0.0, 0.0, 1.0)}


def test_local_search_retunes():
    search = LocalSearch(*arguments(Listed((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))), restart=0.0)
    search.tell([whole((0.6, 0.3, 0.1))], [Scores(TABLE.names, (0.9, 0.9, 0.9))])
    search._moves._paid[RETUNE] = 1e9
    recipes = search.ask(2)
    assert recipes == [whole((0.0, 0.0, 1.0)), whole((0.0, 1.0, 0.0))]


def test_joined_stacks_have_the_preference_of_either():
    search = LocalSearch(*arguments(Listed((0.0, 1.0, 0.0))), restart=0.0)
    mixed = [LayerRef((NAME, "base")[layer % 2], layer) for layer in range(4)]
    other = Recipe.build(mixed, "base", "base", {source.name: source for source in (BASE, follower((0.0, 0.1, 0.9)))})
    search.tell([whole((0.6, 0.3, 0.1)), other], [Scores(TABLE.names, (0.9, 0.9, 0)), Scores(TABLE.names, (0.1, 0, 1))])
    search._moves._paid[JOIN] = 1e9
    assert {weights_of(recipe) for recipe in search.ask(12)} == {(0.6, 0.3, 0.1), (0.0, 0.1, 0.9)}


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
