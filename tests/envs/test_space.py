import numpy as np
import pytest

from envs import Episodes, PathRules, Pool, StackSpace, natural_prior, natural_successors, table_space
from hm3.errors import ConfigurationError
from hm3.recipe import LayerRef, Recipe, Source

A, B = Source("a", "1"), Source("b", "2")


def space(host="searched", **rules):
    return StackSpace(Pool((A, B), (3, 2)), PathRules(**{"min_depth": 1, "max_depth": 4, "host": host, **rules}))


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Pool((), ()), "pool.sources: at least one, got none"),
        (lambda: Pool((A, A), (1, 1)), "pool.sources: every name once, got a, a"),
        (lambda: Pool((A, B), (1,)), "pool.depths: one for each of 2 sources, got 1"),
        (lambda: Pool((A,), (0,)), "pool.depths: at least 1 layer each, got 0"),
        (lambda: PathRules(0, 4), "rules.min_depth: an integer of at least 1, got 0"),
        (lambda: PathRules(5, 4), "rules.max_depth: an integer of at least min_depth = 5, got 4"),
        (lambda: PathRules(1, 4, max_repeats=True), "rules.max_repeats: an integer of at least 1, got True"),
        (lambda: PathRules(1, 4, reach=-1), "rules.reach: an integer of at least 0, got -1"),
        (lambda: space("c"), "rules.host: one of searched, follow, a, b, got 'c'"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(make, line):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == line


def test_numbers_of_a_small_space():
    assert (space().stop, space().actions, space().tokens) == (6, 9, 9)
    assert space().exists.tolist() == [True, True, True, True, True, False]


@pytest.mark.parametrize(("host", "number"), [("searched", 2), ("follow", 0), ("b", 2)])
def test_a_recipe_survives_encoding(host, number):
    one = space(host)
    recipe = one.recipe([0, 4], number)
    assert recipe.path == (LayerRef("a", 0), LayerRef("b", 1))
    assert (recipe.embedding_host, recipe.head_host) == (("a", "b") if host == "follow" else ("b", "b"))
    assert one.encode(recipe) == ([0, 4], number)


def test_a_foreign_recipe_is_refused():
    with pytest.raises(ConfigurationError, match=r"recipe.sources: of the pool a, b, got c"):
        space().encode(StackSpace(Pool((Source("c", "3"),), (1,)), PathRules(1, 1)).recipe([0], 1))


def test_identities_are_in_the_space():
    one = table_space()
    for recipe in one.pool.identities():
        layers, host = one.encode(recipe)
        assert one.allows(layers)
        assert one.recipe(layers, host) == recipe


def test_natural_successors():
    table = natural_successors(space())
    successors = {token: np.flatnonzero(row).tolist() for token, row in enumerate(table)}
    stop, host_a, host_b = 6, 7, 8
    assert successors == {
        0: [host_a, host_b],
        1: [1], 2: [2], 3: [stop],  # a:0, a:1, a:2
        4: [4], 5: [stop], 6: [stop],  # b:0, b:1, and a layer that b lacks
        7: [0], 8: [3],  # after host a, after host b
    }  # fmt: skip


def test_without_a_host_to_pick_any_source_may_begin():
    assert np.flatnonzero(natural_successors(space("follow"))[0]).tolist() == [0, 3]


def test_the_prior_means_the_same_in_every_pool():
    for one in (table_space(8), table_space(16, reach=None)):
        token = 1 + 3  # layer 3 of the first source
        legal = np.append(one.near[4], True)
        odds = np.exp(2 * natural_prior(one)[token, : one.stop + 1])[legal]
        assert odds.max() / odds.sum() == pytest.approx(0.8808, abs=1e-4)


def test_what_was_done_last():
    episodes = Episodes(space(), 2)
    assert episodes.tokens().tolist() == [0, 0]
    episodes.step(np.array([7, 8]))
    assert episodes.tokens().tolist() == [7, 8]
    episodes.step(np.array([4, 0]))
    assert episodes.tokens().tolist() == [5, 1]


def test_observations_are_copies():
    episodes = Episodes(space("follow"), 1)
    before = episodes.observe()
    episodes.step(np.array([1]))
    assert before["path"].tolist() == [[0, 0, 0, 0]]
    assert episodes.observe()["path"].tolist() == [[2, 0, 0, 0]]
    assert episodes.observe()["length"].tolist() == [1]


def test_episodes_start_anew_one_by_one():
    episodes = Episodes(space("a"), 2)
    episodes.step(np.array([0, 1]))
    episodes.reset(np.zeros((1, 0)), np.array([1]))
    assert episodes.length.tolist() == [1, 0]
    assert episodes.host.tolist() == [1, 1]


def test_taken_episodes_go_their_own_way():
    episodes = Episodes(space("a"), 2)
    episodes.step(np.array([0, 1]))
    taken = episodes.take(np.array([1, 1]))
    taken.step(np.array([6, 0]))
    assert taken.path.tolist() == [[2, 0, 0, 0], [2, 1, 0, 0]]
    assert taken.done.tolist() == [True, False]
    assert not episodes.done.any()


@pytest.mark.parametrize("host", ["searched", "follow"])
def test_a_whole_source_has_no_seam_and_any_other_stack_the_spaces_rule(host):
    seamed = StackSpace(Pool((A, B), (3, 2)), PathRules(1, 4, host=host), seam="scale:f")
    number = 1 if host == "searched" else 0
    assert seamed.recipe([0, 1, 2], number) == Recipe.identity(A, 3)
    assert seamed.recipe([3, 4], 2 * number) == Recipe.identity(B, 2)
    assert [seamed.recipe(path, number).seam for path in ([0, 1], [0, 1, 4], [0, 1, 2, 2])] == ["scale:f"] * 3
    if host == "searched":
        assert seamed.recipe([0, 1, 2], 2).seam == "scale:f"  # its layers under another's embedding
