"""From what the screen saw to the front: who survives, and why a front is never below its sources."""

import numpy as np
import pytest

from hm3.archive import hypervolume
from hm3.errors import ConfigurationError
from hm3.judged import Judged
from hm3.objectives import Candidate, Normaliser, Preference, Scores, Tchebycheff
from hm3.online import anchored, fresh, judge, lattice_with, spread, survivors, unbeaten
from hm3.recipe import LayerRef, Recipe, Source

NAMES = ("math", "code")
UNIT = Normaliser(NAMES, (0.0, 0.0), (1.0, 1.0))
UTILITY = Tchebycheff()


def recipe(layer, source="base"):
    return Recipe.build([LayerRef(source, layer)], source, source, {source: Source(source, f"d-{source}")})


class Table:
    """Scores by layer."""

    names = NAMES

    def __init__(self, table):
        self.table, self.calls = table, []

    def __call__(self, recipes):
        self.calls.append([each.path[0].layer for each in recipes])
        return [Scores(NAMES, self.table[each.path[0].layer]) for each in recipes]


def judged_of(*values, invalid=()):
    judged = Judged(UNIT)
    for layer, each in enumerate(values):
        judged.add([recipe(layer)], [Scores(NAMES, each, layer not in invalid)])
    return judged


def layers(recipes):
    return [each.path[0].layer for each in recipes]


def test_the_users_preference_comes_before_the_lattice():
    points = lattice_with(Preference(NAMES, (0.7, 0.3)), 2)
    assert points.tolist() == [[0.7, 0.3], [0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]


def test_a_sixth_of_the_survivors_is_the_users_own_and_the_rest_is_shared():
    #                  0           1           2           3           4           5
    judged = judged_of((0.9, 0.0), (0.8, 0.1), (0.7, 0.2), (0.0, 0.9), (0.1, 0.8), (0.5, 0.5))
    preferences = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])  # the user wants math
    assert layers(survivors(judged, preferences, UTILITY, 12))[:5] == [0, 1, 3, 5, 4]
    assert layers(survivors(judged, preferences, UTILITY, 1)) == [0]
    assert sorted(layers(survivors(judged, preferences, UTILITY, 100))) == [0, 1, 2, 3, 4, 5]


def test_an_invalid_stack_never_survives():
    judged = judged_of((0.1, 0.1), (0.0, 0.0), (0.2, 0.2), invalid={1})
    assert sorted(layers(survivors(judged, np.array([[0.5, 0.5]]), UTILITY, 3))) == [0, 2]


def test_what_the_front_equals_or_beats_on_the_same_items_is_left_out():
    table = Table({0: (0.5, 0.5), 1: (0.9, 0.1), 2: (0.5, 0.5), 3: (0.6, 0.4), 4: (0.4, 0.5)})
    front = [recipe(0), recipe(1)]
    assert layers(unbeaten([recipe(2), recipe(3), recipe(4)], front, table)) == [3]
    assert unbeaten([], front, table) == []


def test_judging_goes_batch_by_batch():
    table, judged = Table({i: (0.1 * i, 0.5) for i in range(5)}), Judged(UNIT)
    assert list(judge([recipe(i) for i in range(5)], table, judged, batch=2)) == [2, 2, 1]
    assert table.calls == [[0, 1], [2, 3], [4]]
    assert len(judged.candidates) == 5


def test_sources_are_archived_first_so_the_front_is_never_below_them():
    table = Table({0: (0.5, 0.1), 1: (0.1, 0.4), 2: (0.2, 0.05)})
    found = anchored([recipe(0), recipe(1)], table, (0.1, 0.0))
    assert (found.normaliser.floors, found.normaliser.bests) == ((0.1, 0.0), (0.5, 0.4))
    alone = found.hypervolume()
    found.add([recipe(2)], table([recipe(2)]))
    assert [each.recipe for each in found.archive] == [recipe(0), recipe(1)]
    assert found.hypervolume() == alone
    for corner in ([1.0, 0.0], [0.0, 1.0]):  # whatever is wanted, the best source is to be had
        best = found.archive.best(Preference(NAMES, tuple(corner)), UTILITY, found.normaliser)
        assert float(np.dot(found.normaliser(best.scores.values), corner)) == 1.0


def test_sources_that_are_all_below_a_floor_are_refused():
    with pytest.raises(ConfigurationError, match="objective math: some source must be above its floor"):
        anchored([recipe(0)], Table({0: (0.1, 0.4)}), (0.25, 0.0))


def test_what_was_judged_or_comes_twice_is_not_judged_again():
    judged = judged_of((0.1, 0.1), (0.2, 0.2))
    renamed = Recipe.build([LayerRef("other", 1)], "other", "other", {"other": Source("other", "d-base")})
    assert fresh([recipe(2), recipe(0), renamed, recipe(2), recipe(3)], judged) == [recipe(2), recipe(3)]


def candidates(*values):
    return [Candidate(recipe(i), Scores(NAMES, value)) for i, value in enumerate(values)]


def test_a_spread_keeps_what_the_volume_owes_most_to():
    front = candidates((1.0, 0.1), (0.9, 0.12), (0.5, 0.5), (0.1, 1.0), (0.12, 0.9))
    assert spread(front, UNIT, 3, front[0]) == [front[0], front[2], front[3]]
    assert spread(front, UNIT, 1, front[4]) == [front[4]]
    assert spread(front, UNIT, 9, front[1]) == front


@pytest.mark.parametrize("most", [2, 4, 6])
def test_a_spread_is_the_greedy_one(most):
    angles = np.random.default_rng(0).uniform(0, np.pi / 2, 12)
    front = candidates(*((float(np.cos(a)), float(np.sin(a))) for a in angles))
    points = np.array([each.scores.values for each in front])
    chosen = [0]
    while len(chosen) < most:
        rest = [i for i in range(len(front)) if i not in chosen]
        chosen.append(max(rest, key=lambda i: hypervolume(points[[*chosen, i]])))
    assert spread(front, UNIT, most, front[0]) == [front[i] for i in sorted(chosen)]
