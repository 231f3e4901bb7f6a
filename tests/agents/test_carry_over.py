"""Networks for other sources and objectives."""

import pytest
import torch

from agents import PPO
from agents.carry_over import carry_over
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool
from envs.pool import Pool
from hm3.errors import ConfigurationError
from hm3.objectives import Normaliser, Tchebycheff

WIDE = table_pool(4)
NARROW = Pool(WIDE.sources[:3], WIDE.depths[:3])
TURNED = Pool(WIDE.sources[::-1], WIDE.depths[::-1])
RULES = PathRules(min_depth=4, max_depth=4, max_repeats=1, reach=0, host="follow")
NORMALISER = TableEvaluator(WIDE).normaliser()
FEWER = Normaliser(NORMALISER.names[:2], NORMALISER.floors[:2], NORMALISER.bests[:2])


def agent(pool=WIDE, normaliser=NORMALISER, seed=0, **settings):
    space = StackSpace(pool, RULES)
    return PPO(space, normaliser, Tchebycheff(), Dirichlet(len(normaliser.names)), seed=seed, **settings)


def weight(agent, name):
    return dict(agent.policy.named_parameters())[name].detach()


def test_the_same_space_gives_the_same_networks():
    old, new = agent(seed=1), agent(seed=2)
    carry_over(old, new)
    for name, parameter in new.policy.named_parameters():
        torch.testing.assert_close(parameter, weight(old, name), rtol=0, atol=0)


def test_sources_in_another_order_keep_their_rows():
    old, new = agent(seed=1), agent(TURNED, seed=2)
    carry_over(old, new)
    name = "features_extractor.source.weight"
    torch.testing.assert_close(weight(new, name), weight(old, name).flip(0), rtol=0, atol=0)
    ours, theirs = weight(new, "action_net.weight"), weight(old, "action_net.weight")
    torch.testing.assert_close(ours[:4], theirs[12:16], rtol=0, atol=0)  # the first source's layers were the last's
    torch.testing.assert_close(ours[16], theirs[16], rtol=0, atol=0)  # stop


def test_a_new_source_begins_as_the_average_of_the_known_ones():
    old, new = agent(NARROW, seed=1), agent(seed=2)
    carry_over(old, new)
    known = weight(old, "features_extractor.source.weight")
    torch.testing.assert_close(weight(new, "features_extractor.source.weight")[:3], known)
    torch.testing.assert_close(weight(new, "features_extractor.source.weight")[3], known.mean(0))
    layers = weight(old, "action_net.weight")[:12].reshape(3, 4, -1)
    torch.testing.assert_close(weight(new, "action_net.weight")[12:16], layers.mean(0))


def test_a_new_objective_begins_as_the_average_of_the_known_ones():
    old, new = agent(normaliser=FEWER, seed=1), agent(seed=2)
    carry_over(old, new)
    known = weight(old, "features_extractor.preference.weight")
    torch.testing.assert_close(weight(new, "features_extractor.preference.weight")[:, :2], known)
    torch.testing.assert_close(weight(new, "features_extractor.preference.weight")[:, 2], known.mean(1))


def test_networks_of_another_width_are_refused():
    with pytest.raises(ConfigurationError, match=r"carry over: networks that differ in nothing but .* got another"):
        carry_over(agent(width=32), agent())
