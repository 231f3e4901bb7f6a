"""What stacks look like to a process: numbers that a person can count."""

import numpy as np

from agents.surrogate.features import features
from envs import table_space

FOLLOW, SEARCHED = table_space(4, host="follow"), table_space(4)
WHOLE = ([0, 1, 2, 3], 0)


def jumped(space, *stacks):
    return features(space, stacks).jumps.sum(dim=1).tolist()


def test_each_index_shows_whose_layer_is_at_work_there():
    uses = features(FOLLOW, [([0, 1, 6, 7], 0)]).uses[0]
    assert uses[:4].argmax(dim=1).tolist() == [0, 0, 1, 1]
    assert uses[:4].sum().item() == 4


def test_hosts_that_follow_are_those_of_the_ends():
    uses = features(FOLLOW, [([0, 1, 6, 7], 0)]).uses[0]
    assert uses[4:].argmax(dim=1).tolist() == [0, 1]


def test_a_host_that_is_searched_counts_at_both_ends():
    uses = features(SEARCHED, [([0, 1, 2, 3], 2)]).uses[0]
    assert uses[4:].argmax(dim=1).tolist() == [1, 1]


def test_what_is_used_twice_counts_twice_and_what_is_skipped_not_at_all():
    uses = features(FOLLOW, [([0, 1, 1, 3], 0)]).uses[0]
    assert uses[:4].sum(dim=1).tolist() == [1, 2, 0, 1]


def test_the_natural_order_has_no_jumps_whoever_is_at_work():
    assert jumped(FOLLOW, WHOLE, ([0, 5, 2, 7], 0)) == [0, 0]


def test_repeats_skips_and_cut_ends_are_jumps():
    twice, skips, late, early = ([0, 1, 1, 2, 3], 0), ([0, 2, 3], 0), ([1, 2, 3], 0), ([0, 1], 0)
    assert jumped(FOLLOW, twice, skips, late, early) == [1, 1, 1, 1]
    assert len({tuple(row) for row in features(FOLLOW, [twice, skips, late, early]).jumps.tolist()}) == 4


def test_stacks_of_the_same_layers_in_another_order_differ():
    first, second = features(FOLLOW, [([0, 2, 1, 3], 0), WHOLE]).jumps
    assert not np.allclose(first, second)
