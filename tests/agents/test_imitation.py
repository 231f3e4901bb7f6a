import numpy as np
import pytest

from agents import PPO
from agents.imitation import imitate, replay
from agents.memory import Memory
from envs import Dirichlet, TableEvaluator, table_space
from hm3.objectives import Scores, Tchebycheff

SPACE = table_space(6)
TABLE = TableEvaluator(SPACE.pool)
IDENTITIES = SPACE.pool.identities()
CORNERS = np.eye(3)


def memory():
    known = Memory(SPACE)
    known.add(IDENTITIES, TABLE(IDENTITIES))
    return known


def test_a_memory_keeps_what_nothing_beats():
    known = Memory(SPACE)
    scores = [Scores(("a", "b"), values) for values in [(1.0, 2.0), (2.0, 1.0), (0.5, 1.0)]]
    known.add(IDENTITIES[:3], scores)
    assert known.values.tolist() == [[1, 2], [2, 1]]
    known.add(IDENTITIES[2:3], [Scores(("a", "b"), (3.0, 3.0))])
    assert known.values.tolist() == [[3, 3]]
    known.add(IDENTITIES[:1], [Scores(("a", "b"), (9.0, 9.0), valid=False)])
    assert known.values.tolist() == [[3, 3]]


def test_the_best_of_a_memory_is_the_best_source_for_each_preference():
    stacks, utilities = memory().best(CORNERS, TABLE.normaliser(), Tchebycheff())
    normalised = TABLE.normaliser()([scores.values for scores in TABLE(IDENTITIES)])
    for corner, stack, utility in zip(CORNERS, stacks, utilities, strict=True):
        worth = Tchebycheff()(normalised, corner)
        assert utility == pytest.approx(worth.max())
        assert SPACE.recipe(*stack).digest == IDENTITIES[int(worth.argmax())].digest


def test_a_replay_writes_the_stacks_that_it_is_given():
    stacks = [SPACE.encode(recipe) for recipe in IDENTITIES[:3]]
    observations, masks, actions, rows = replay(SPACE, CORNERS, stacks)
    assert masks[np.arange(len(actions)), actions].all()
    for row, (layers, host) in enumerate(stacks):
        assert actions[rows == row].tolist() == [SPACE.stop + host, *layers, SPACE.stop]
    assert (observations["preference"] == CORNERS[rows]).all()


def test_a_memory_survives_json():
    known, again = memory(), Memory(SPACE)
    again.restore(known.to_json())
    assert again.stacks == known.stacks
    assert (again.values == known.values).all()


def test_imitation_makes_a_stack_the_favourite_under_its_preference():
    ppo = PPO(SPACE, TABLE.normaliser(), Tchebycheff(), Dirichlet(3), seed=0, width=32)
    stacks, utilities = memory().best(CORNERS, TABLE.normaliser(), Tchebycheff())
    imitate(ppo.policy, SPACE, CORNERS, stacks, utilities, 60)
    for corner, stack in zip(CORNERS, stacks, strict=True):
        (favourite,) = ppo.propose(corner[None], 1, rng=np.random.default_rng(0))
        assert favourite == SPACE.recipe(*stack)
