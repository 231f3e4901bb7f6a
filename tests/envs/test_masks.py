import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envs import Episodes, PathRules, Pool, StackSpace
from envs.lookahead import Lookahead
from hm3.errors import ConfigurationError
from hm3.recipe import Source


def pool(*depths):
    return Pool(tuple(Source(f"s{number}", f"digest{number}") for number in range(len(depths))), depths)


@st.composite
def spaces(draw):
    depths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    low = draw(st.integers(1, 7))
    rules = PathRules(
        min_depth=low,
        max_depth=low + draw(st.integers(0, 4)),
        max_repeats=draw(st.integers(1, 3)),
        reach=draw(st.none() | st.integers(0, 4)),
        host=draw(st.sampled_from(["searched", "follow", "s0"])),
    )
    try:
        return StackSpace(pool(*depths), rules)
    except ConfigurationError:
        assume(False)


def play(space, seed, count=8):
    """Whole episodes by uniformly legal actions; every mask on the way is checked."""
    episodes, rng = Episodes(space, count), np.random.default_rng(seed)
    for _ in range(space.max_actions):
        masks = episodes.masks()
        assert masks.any(axis=1).all()
        assert (masks[:, space.stop] == ((episodes.length >= space.rules.min_depth) | episodes.done)).all()
        episodes.step((rng.random(masks.shape) * masks).argmax(axis=1))
    return episodes


@settings(max_examples=150, deadline=None)
@given(spaces(), st.integers(0, 1000))
def test_random_legal_play_ends_with_legal_stacks(space, seed):
    episodes = play(space, seed)
    assert episodes.done.all()
    for recipe, path, length in zip(episodes.recipes(), episodes.path, episodes.length, strict=True):
        layers = path[:length] - 1
        assert space.allows(layers)
        assert space.rules.min_depth <= recipe.depth <= space.rules.max_depth
        assert max(recipe.path.count(ref) for ref in recipe.path) <= space.rules.max_repeats
        depths = dict(zip(space.pool.names, space.pool.depths, strict=True))
        assert all(ref.layer < depths[ref.source] for ref in recipe.path)
        if space.rules.reach is not None:
            expected = [0, *(ref.layer + 1 for ref in recipe.path[:-1])]
            jumps = [abs(ref.layer - index) for ref, index in zip(recipe.path, expected, strict=True)]
            assert max(jumps) <= space.rules.reach


@settings(max_examples=150, deadline=None)
@given(spaces(), st.integers(0, 1000))
def test_masks_hide_exactly_what_cannot_be_finished(space, seed):
    episodes, rng = Episodes(space, 1), np.random.default_rng(seed)
    while not episodes.done[0]:
        mask = episodes.masks()[0]
        if not (space.picks_host and episodes.host[0] == 0):
            layers = (episodes.path[0, : episodes.length[0]] - 1).tolist()
            assert mask[: space.stop].tolist() == [finishable(space, [*layers, action]) for action in range(space.stop)]
        episodes.step(np.array([rng.choice(np.flatnonzero(mask))]))


def finishable(space, layers):
    """Brute force over layer indices: whether this legal beginning can be brought to the least depth."""
    rules = space.rules
    expected = 0 if len(layers) == 1 else layers[-2] % space.layers + 1
    if len(layers) > rules.max_depth or not space.near[expected, layers[-1]]:
        return False
    if layers.count(layers[-1]) > rules.max_repeats:
        return False
    indices = [layer % space.layers for layer in layers]
    return grows(space, tuple(space.capacity - np.bincount(indices, minlength=space.layers)), indices[-1], len(layers))


def grows(space, left, last, length, known=None):
    known = {} if known is None else known
    if length >= space.rules.min_depth:
        return True
    if (left, last) not in known:
        reach = space.layers if space.rules.reach is None else space.rules.reach
        known[left, last] = any(
            grows(space, (*left[:index], uses - 1, *left[index + 1 :]), index, length + 1, known)
            for index, uses in enumerate(left)
            if uses and abs(index - last - 1) <= reach
        )
    return known[left, last]


@pytest.mark.parametrize(
    ("rules", "depths"),
    [
        ({"min_depth": 5, "max_depth": 9, "reach": 0}, (4, 4)),  # counts up from 0: at most 4
        ({"min_depth": 9, "max_depth": 9, "reach": None}, (4, 4)),  # eight layers once each
        ({"min_depth": 9, "max_depth": 9, "reach": 2}, (4, 4)),
    ],
)
def test_a_depth_that_no_stack_can_have_is_refused(rules, depths):
    with pytest.raises(ConfigurationError, match=r"^rules.min_depth: .*got \d$"):
        StackSpace(pool(*depths), PathRules(**rules))


def test_a_tight_pool_forces_the_only_order():
    space = StackSpace(pool(4), PathRules(min_depth=4, max_depth=4, reach=1, host="follow"))
    episodes = play(space, seed=0)
    assert (episodes.path == [1, 2, 3, 4]).all()


def test_at_max_depth_only_stop_is_legal():
    space = StackSpace(pool(4, 4), PathRules(min_depth=1, max_depth=2, host="follow"))
    episodes = Episodes(space, 1)
    for action in (0, 1):
        episodes.step(np.array([action]))
    assert np.flatnonzero(episodes.masks()[0]).tolist() == [space.stop]


def test_the_first_action_picks_the_host():
    space = StackSpace(pool(2, 2), PathRules(min_depth=1, max_depth=2))
    episodes = Episodes(space, 1)
    assert np.flatnonzero(episodes.masks()[0]).tolist() == [5, 6]
    episodes.step(np.array([6]))
    assert np.flatnonzero(episodes.masks()[0]).tolist() == [0, 1, 2, 3]
    assert episodes.host.tolist() == [2]


def test_lookahead_is_idle_where_a_single_index_suffices():
    assert not Lookahead(np.full(8, 8), 8, 2).needed
    assert Lookahead(np.full(8, 4), 8, 2).needed
    assert not Lookahead(np.full(8, 4), 8, None).needed


def test_lookahead_stays_quick_in_a_deep_tight_pool():
    space = StackSpace(pool(32, 32), PathRules(min_depth=60, max_depth=64, reach=3, host="follow"))
    assert play(space, seed=1, count=2).done.all()
