"""One run for each preference: shares, new networks, and what the paper's HM3 is paid and begins with."""

import numpy as np
import pytest
import torch

from agents import Spread
from agents.published import ModelMergingRL, PaperHM3
from agents.published.paper_hm3 import of_length
from agents.published.wolpertinger_policy import WolpertingerPolicy
from envs import Dirichlet, TableEvaluator, table_space
from hm3.errors import ConfigurationError
from hm3.objectives import Linear, Scores, Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(4)
TABLE = TableEvaluator(SPACE.pool)
SOURCES = SPACE.pool.identities()


def make(rival, space=SPACE, **settings):
    given = {"evaluations": 36, "divisions": 1, "epochs": 2}
    return rival(space, TABLE.normaliser(), Tchebycheff(), Dirichlet(3), **{**given, **settings})


def nothing(recipes):
    return [Scores(TABLE.names, (0.0, 0.0, 0.0)) for _ in recipes]


def turn(searcher, count, evaluator=TABLE):
    recipes = searcher.ask(count)
    searcher.tell(recipes, evaluator(recipes))
    return recipes


def weights(searcher):
    return torch.cat([values.flatten() for values in searcher.agent.policy.state_dict().values()])


def runs(searcher, number):
    """The corner on which the preference of each stack lies."""
    return [(turn(searcher, 1), int(searcher.preference.argmax()))[1] for _ in range(number)]


def test_preferences_take_turns_and_share_the_budget():
    assert runs(make(ModelMergingRL, evaluations=10), 12) == [2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 2, 2]


def test_judging_the_sources_is_part_of_the_first_share():
    assert runs(make(PaperHM3, evaluations=15), 12) == [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("rival", [PaperHM3, ModelMergingRL])
def test_nothing_of_a_run_is_left_in_the_next(rival):
    learnt, ignorant = (make(rival, seed=3) for _ in range(2))
    first = weights(learnt)
    assert torch.equal(weights(ignorant), first)
    for _ in range(2):
        turn(learnt, 6, TABLE)
        turn(ignorant, 6, nothing)
    assert not torch.equal(weights(learnt), weights(ignorant))
    old = learnt.agent
    learnt.ask(1)  # the thirteenth of 12: the next run
    ignorant.ask(1)
    assert learnt.agent is not old
    assert learnt.run == 1
    assert torch.equal(weights(learnt), weights(ignorant))
    assert not torch.equal(weights(learnt), first)


def test_a_batch_may_span_runs():
    searcher = make(ModelMergingRL)
    recipes = turn(searcher, 30)
    assert len(recipes) == 30
    assert searcher.run == 2
    assert searcher.agent.metrics["train/n_updates"] == 2  # epochs of one update, from the last six stacks


class Payments:
    """`Spread`, and a note of what it paid."""

    needs_prefixes = False

    def __init__(self):
        self.rows = []

    def __call__(self, utilities, lengths, prefixes=None):
        rewards = Spread()(utilities, lengths)
        self.rows += [row[:length] for row, length in zip(rewards, lengths, strict=True)]
        return rewards


@pytest.mark.parametrize(("weighted_sum", "reward"), [(True, Linear()), (False, Tchebycheff())])
def test_the_steps_of_an_episode_are_paid_alike_and_add_up_to_its_score(weighted_sum, reward):
    credit = Payments()
    searcher = make(PaperHM3, credit=credit, weighted_sum=weighted_sum, warm_up=1.0)
    recipes = turn(searcher, 10)[4:]
    expected = reward(TABLE.normaliser()([score.values for score in TABLE(recipes)]), np.array([0.0, 0.0, 1.0]))
    assert [row.sum() for row in credit.rows] == pytest.approx(expected)
    assert all(row == pytest.approx(np.full(6, row[0])) for row in credit.rows)  # host, four layers, stop


def test_sources_are_judged_first_and_once():
    searcher = make(PaperHM3)
    assert turn(searcher, 3) == SOURCES[:3]
    recipes = turn(searcher, 6)
    assert recipes[0] == SOURCES[3]
    known = make(PaperHM3)
    known.remember(SOURCES, TABLE(SOURCES))
    known.remember(recipes[1:], TABLE(recipes[1:]))
    assert known.ask(3) != SOURCES[:3]


def test_a_source_without_scores_is_neither_asked_again_nor_learnt_from():
    searcher = make(PaperHM3, warm_up=0.0)
    recipes = searcher.ask(8)
    worst = [Scores(TABLE.names, (0.0, 0.0, 0.0), valid=False)]
    searcher.tell(recipes, [*worst, *TABLE(recipes[1:])])
    (batch,) = searcher.agent.model.rollout_buffer.get(10_000)
    assert len(batch.observations.states.ends) == 4 + 3
    assert SOURCES[0] not in turn(searcher, 1)


def test_updates_begin_after_the_warm_up_and_hold_the_sources():
    searcher = make(PaperHM3, warm_up=0.5)  # six of twelve
    first = weights(searcher)
    turn(searcher, 10)  # four sources, six of its own
    assert torch.equal(weights(searcher), first)
    turn(searcher, 2)
    assert not torch.equal(weights(searcher), first)
    (batch,) = searcher.agent.model.rollout_buffer.get(10_000)
    assert len(batch.observations.states.ends) == 2 + 4


def test_a_warm_up_goes_on_after_a_resume(tmp_path):
    searcher = make(PaperHM3, warm_up=0.5)
    turn(searcher, 9)  # four sources, five of its own
    searcher.save(tmp_path)
    resumed = make(PaperHM3, warm_up=0.5)
    resumed.restore(tmp_path)
    first = weights(resumed)
    turn(resumed, 2)
    assert not torch.equal(weights(resumed), first)


def test_the_paper_s_agent_acts_by_neighbours_and_spreads_its_reward():
    agent = make(PaperHM3).agent
    assert isinstance(agent.policy, WolpertingerPolicy)
    assert agent.credit == Spread()
    assert agent.model.gamma == 0.99
    assert not isinstance(make(ModelMergingRL).agent.policy, WolpertingerPolicy)


def test_every_path_has_the_stated_length():
    assert {recipe.depth for recipe in turn(make(PaperHM3), 12)} == {4}
    assert {recipe.depth for recipe in turn(make(PaperHM3, length=6), 12)[4:]} == {6}
    assert of_length(table_space(4), None).rules.max_depth == 4


def test_a_length_that_the_space_does_not_allow_is_refused():
    with pytest.raises(ConfigurationError, match=r"agent\.length: an integer from 2 to 6, got 7"):
        make(PaperHM3, length=7)
