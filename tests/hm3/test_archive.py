import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymoo.indicators.hv import HV
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from hm3.archive import ParetoArchive, Status, below_nadir, hypervolume
from hm3.errors import ConfigurationError
from hm3.objectives import Candidate, Linear, Normaliser, Preference, Scores, Tchebycheff
from hm3.recipe import LayerRef, Recipe, Source

NAMES = ("math", "code", "translation")
vectors = st.lists(st.tuples(*[st.integers(0, 4).map(float)] * 3), min_size=1, max_size=25)


def candidate(i, values, valid=True):
    source = Source("base", "d0")
    path = [LayerRef("base", int(digit)) for digit in f"1{i:04d}"]
    recipe = Recipe.build(path, "base", "base", {"base": source})
    return Candidate(recipe, Scores(NAMES[: len(values)], tuple(values), valid))


def dominates(a, b):
    return all(x >= y for x, y in zip(a, b, strict=True)) and a != b


@given(vectors)
def test_the_front_is_what_brute_force_and_pymoo_find(values):
    archive = ParetoArchive(candidate(i, v) for i, v in enumerate(values))
    front = [each.scores.values for each in archive.front]
    first = list(dict.fromkeys(values))
    assert front == [v for v in first if not any(dominates(w, v) for w in values)]
    fronts = NonDominatedSorting().do(-np.array(first), only_non_dominated_front=True)
    assert front == [first[i] for i in sorted(fronts)]


@given(vectors)
def test_add_tells_what_it_displaced(values):
    archive = ParetoArchive()
    for i, v in enumerate(values):
        before = archive.front
        admission = archive.add(candidate(i, v))
        assert set(before) - set(archive.front) == set(admission.displaced)
        assert (admission.status is Status.NEW) == (archive.front != before)


def test_a_recipe_counts_once_even_after_it_left_the_front():
    archive = ParetoArchive([candidate(0, (1, 1, 1))])
    assert archive.add(candidate(1, (2, 2, 2))).displaced == (candidate(0, (1, 1, 1)),)
    assert archive.add(candidate(0, (9, 9, 9))).status is Status.DUPLICATE


def test_of_equal_scores_the_first_stays():
    archive = ParetoArchive([candidate(0, (1, 1, 1))])
    assert archive.add(candidate(1, (1, 1, 1))).status is Status.DOMINATED
    assert archive.front == (candidate(0, (1, 1, 1)),)


@pytest.mark.parametrize("each", [candidate(0, (9, 9, 9), valid=False), candidate(0, (math.nan, 9, 9))])
def test_invalid_candidates_never_reach_the_front(each):
    archive = ParetoArchive()
    assert archive.add(each).status is Status.DOMINATED
    assert len(archive) == 0


def test_other_objectives_are_refused():
    archive = ParetoArchive([candidate(0, (1, 1, 1))])
    with pytest.raises(ConfigurationError, match="math, code, translation, got math, code"):
        archive.add(candidate(1, (1, 1)))


def test_best_follows_the_preference():
    archive = ParetoArchive(
        [candidate(0, (0.9, 0.1, 0.1)), candidate(1, (0.1, 0.9, 0.1)), candidate(2, (0.5, 0.5, 0.5))]
    )
    normaliser = Normaliser(NAMES, (0, 0, 0), (1, 1, 1))
    for utility in (Tchebycheff(), Linear()):
        best = archive.best(Preference.of({"code": 1}, NAMES), utility, normaliser)
        assert best.scores.values == (0.1, 0.9, 0.1)
    assert archive.best(Preference.of(None, NAMES), Tchebycheff(), normaliser).scores.values == (0.5, 0.5, 0.5)
    with pytest.raises(ConfigurationError, match="at least one"):
        ParetoArchive().best(Preference.of(None, NAMES), Tchebycheff(), normaliser)


@given(st.lists(st.tuples(*[st.floats(-0.5, 1.5)] * 3), max_size=20))
def test_hypervolume_is_pymoos(points):
    array = np.array(points).reshape(-1, 3)
    theirs = HV(ref_point=np.zeros(3))(-array[(array > 0).all(axis=1)]) if (array > 0).all(axis=1).any() else 0.0
    assert hypervolume(points) == pytest.approx(theirs, abs=1e-12)


@given(st.lists(st.tuples(*[st.integers(-1, 3)] * 2), max_size=12))
def test_hypervolume_is_the_area_that_is_counted(points):
    cells = {(x, y) for a, b in points for x in range(a) for y in range(b)}
    assert hypervolume(points) == pytest.approx(len(cells))


def test_from_below_the_nadir_the_ends_of_a_front_count_little():
    front = np.array([[1.0, 0.5], [0.0, 1.5]])
    assert below_nadir(front).tolist() == pytest.approx([-0.1, 0.4])
    # each end covers a strip, 1.1 x 0.1 and 0.1 x 1.1, which share a corner of 0.1 x 0.1
    assert hypervolume(front, below_nadir(front)) == pytest.approx(0.11 + 0.11 - 0.01)


def test_a_front_of_one_point_has_no_extent():
    assert below_nadir([[0.3, 0.4]]).tolist() == [0.3, 0.4]


def test_hypervolume_of_nothing_and_of_points_that_are_not_above_the_reference():
    assert hypervolume([]) == hypervolume(np.empty((0, 3))) == 0
    assert hypervolume([[1.0, -1.0], [0.0, 5.0], [math.nan, 1.0], [math.inf, 1.0]]) == 0
    assert hypervolume([[0.5]]) == 0.5
    assert hypervolume([[2.0, 2.0]], reference=1.0) == 1
