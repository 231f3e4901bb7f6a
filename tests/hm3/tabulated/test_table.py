"""A table says what its numbers say, knows the truth about them, and is refused when it is another's."""

import dataclasses
import itertools

import numpy as np
import pytest

from envs import StackEnv
from hm3.errors import CheckpointError, ConfigurationError
from hm3.exits import PrefixEvaluator
from hm3.objectives import Scores, Tchebycheff
from hm3.recipe import LayerRef, Recipe, Source, digest_of
from hm3.tabulated import StackTable, TabulatedEvaluator, Truth, load_table, save_table, table_space
from hm3.tabulated.table import STEPS, as_counts, paths_of

SOURCES = tuple(Source(name, digest_of(name)) for name in ("base", "math", "code"))
MADE_FROM = (("count", 8), ("items", "i"), ("tasks", "t"))


@pytest.fixture(scope="module")
def table():
    """Three sources of two layers: a score says to which path it belongs."""
    counts = [
        as_counts(np.array([[0.1 * path[0] + 0.01 * path[-1] + 0.1, 0.5 - 0.1 * path[0]] for path in paths]))
        for paths in (list(itertools.product(range(3), repeat=length)) for length in (1, 2))
    ]
    return StackTable(SOURCES, 2, ("sums", "words"), (0.0, 0.1), MADE_FROM, np.concatenate(counts))


def stack(*names):
    refs = [LayerRef(name, layer) for layer, name in enumerate(names)]
    return Recipe.build(refs, names[0], names[-1], {source.name: source for source in SOURCES})


def test_three_sources_of_two_layers_have_twelve_paths():
    assert paths_of(3, 2) == 12
    assert paths_of(4, 8) == 87_380


def test_rows_and_paths_are_each_others_inverse(table):
    assert table.paths(2)[5].tolist() == [1, 2]
    assert table.rows(table.paths(1)).tolist() == [0, 1, 2]
    assert table.rows(table.paths(2)).tolist() == list(range(3, 12))
    assert len(table.stacks) == 9
    assert table.at(table.paths(2)).tolist() == table.stacks.tolist()
    assert table.at(table.paths(1)).tolist() == table.scores[:3].tolist()


def test_a_stack_scores_what_the_table_says(table):
    evaluator = TabulatedEvaluator(table)
    [scores] = evaluator([stack("math", "code")])
    assert scores.names == ("sums", "words")
    assert scores.values == pytest.approx((0.22, 0.4), abs=0.5 / STEPS)


def test_an_unfinished_stack_scores_under_its_own_last_head(table):
    evaluator = TabulatedEvaluator(table)
    assert isinstance(evaluator, PrefixEvaluator)
    [[first, whole]] = evaluator.prefixes([stack("code", "math")])
    assert first == evaluator.early([stack("code")])[0]
    assert first.values == pytest.approx((0.32, 0.3), abs=1e-5)
    assert whole == evaluator([stack("code", "math")])[0]


def test_one_is_the_best_source_and_zero_the_floor(table):
    normalise = TabulatedEvaluator(table).normaliser()
    # the sources score (0.1, 0.5), (0.21, 0.4) and (0.32, 0.3)
    assert normalise([0.32, 0.5]) == pytest.approx([1.0, 1.0], abs=1e-4)
    assert normalise([0.16, 0.1]) == pytest.approx([0.5, 0.0], abs=1e-4)


def test_the_truth_is_that_of_a_search_by_hand(table):
    truth = Truth.of(table)
    # of three stacks with one first layer the one with the last source on top is best
    assert [table.paths(2)[number].tolist() for number in truth.front] == [[0, 2], [1, 2], [2, 2]]
    points = sorted(truth.values[list(truth.front)].tolist())
    by_hand = sum((x - before) * y for (x, y), before in zip(points, [0.0, *(x for x, _ in points)], strict=False))
    assert truth.hypervolume == pytest.approx(by_hand)
    utility, preferences = Tchebycheff(), np.array([[0.7, 0.3], [0.0, 1.0]])
    everything = utility(truth.values[None], preferences[:, None])
    assert truth.best(preferences, utility).tolist() == everything.max(axis=1).tolist()


def test_the_environment_runs_on_it(table):
    evaluator, space = TabulatedEvaluator(table), table_space(table)
    assert len({space.recipe([a * 2, b * 2 + 1], 0).digest for a in range(3) for b in range(3)}) == 9
    env = StackEnv(space, evaluator, evaluator.normaliser(), Tchebycheff(), lambda count, rng: np.full((count, 2), 0.5))
    env.reset(seed=0)
    for action in (2, 5, space.stop):
        assert env.action_masks()[action]
        _, _, ended, _, _ = env.step(action)
    assert ended


@pytest.mark.parametrize(
    "foreign",
    [
        Recipe.identity(Source("base", digest_of("other")), 2),
        Recipe.identity(SOURCES[0], 3),
        Recipe.build([LayerRef("base", 1), LayerRef("base", 0)], "base", "base", {"base": SOURCES[0]}),
        dataclasses.replace(stack("base", "base"), head_host="math", sources=SOURCES[:2]),
        dataclasses.replace(stack("base", "math"), seam="scale:0"),
    ],
    ids=["source", "depth", "order", "host", "seam"],
)
def test_what_is_not_in_it_is_refused(table, foreign):
    evaluator = TabulatedEvaluator(table)
    for ask in (evaluator, evaluator.early, evaluator.prefixes):
        with pytest.raises(ConfigurationError, match="table: same-index stacks"):
            ask([foreign])


def test_it_comes_back_from_a_file_and_the_file_is_always_the_same(table, tmp_path):
    save_table(table, tmp_path / "a.tensors")
    save_table(table, tmp_path / "b.tensors")
    assert (tmp_path / "a.tensors").read_bytes() == (tmp_path / "b.tensors").read_bytes()
    sources = [source.digest for source in SOURCES]
    back = load_table(tmp_path / "a.tensors", {"sources": sources, "items": "i", "count": 8})
    assert (back.counts == table.counts).all()
    assert (back.sources, back.depth, back.names) == (SOURCES, 2, table.names)
    assert (back.floors, back.made_from) == ((0.0, 0.1), MADE_FROM)


@pytest.mark.parametrize("changed", [{"sources": ["other"]}, {"items": "other"}, {"count": 9}, {"tasks": "other"}])
def test_a_table_of_another_zoo_or_other_items_is_refused(table, tmp_path, changed):
    save_table(table, tmp_path / "a.tensors")
    with pytest.raises(ConfigurationError, match=f"a table made from {next(iter(changed))}"):
        load_table(tmp_path / "a.tensors", changed)


def test_a_damaged_file_is_refused(table, tmp_path):
    file = tmp_path / "a.tensors"
    save_table(table, file)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="damaged"):
        load_table(file)


def test_scores_are_rounded_by_less_than_a_hundred_thousandth():
    scores = np.random.default_rng(0).random((1000, 2))
    assert np.abs(as_counts(scores) / STEPS - scores).max() < 0.8e-5
    with pytest.raises(ConfigurationError, match="scores from 0 to 1"):
        as_counts(np.array([[1.1]]))


def test_a_table_has_a_row_for_each_path(table):
    with pytest.raises(ConfigurationError, match=r"uint16 scores \(12, 2\), got uint16 \(11, 2\)"):
        dataclasses.replace(table, counts=table.counts[1:])


def test_looking_up_gives_scores_as_evaluators_do(table):
    assert all(isinstance(each, Scores) for each in TabulatedEvaluator(table)([stack("base", "base")] * 2))
