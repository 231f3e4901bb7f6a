"""A table holds what the ordinary evaluator says of every stack and of everything that stacks begin with."""

import itertools
import json
import math
from collections import Counter

import numpy as np
import pytest

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError
from hm3.layers import Decoder
from hm3.objectives import Objective
from hm3.tabulated import TabulatedEvaluator, load_table
from hm3.tabulated.table import STEPS
from scripts.benchmark import tabulate
from scripts.benchmark.report import Kept, Request
from scripts.benchmark.tabulate.site import Plan, Site
from scripts.benchmark.tabulate.tables import kept_table
from scripts.benchmark.tabulate.walk import batches, branches, joined, recipe_of, scored
from tests.tiny import write_checkpoint
from tests.tiny_tasks import write_tasks

OBJECTIVES = (Objective("sums", "sums", "likelihood"), Objective("choose", "choose", "acc_norm"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two sources of three layers."""
    folder = tmp_path_factory.mktemp("site")
    raw = write_checkpoint(folder / "a", depth=3)
    paths = {"a": raw, "b": write_checkpoint(folder / "b", depth=3, near=raw, noise=0.3, seed=1)}
    checkpoints = tuple(Checkpoint.open(name, path) for name, path in paths.items())
    return Site(checkpoints, OBJECTIVES, (write_tasks(folder / "tasks"),), items=5, workers=0)


@pytest.fixture(scope="module")
def parts(site):
    return [scored(site, branch) for branch in branches(2, 1)]


@pytest.fixture(scope="module")
def table(site, parts):
    return joined(site, parts)


def recipes(site, depths):
    return [recipe_of(site, path) for depth in depths for path in itertools.product(range(2), repeat=depth)]


def test_whole_stacks_score_what_the_evaluator_says(site, table):
    whole = recipes(site, [3])
    with site.bench() as bench:
        expected = [scores.values for scores in bench.screen(whole)]
    found = [scores.values for scores in TabulatedEvaluator(table)(whole)]
    assert len(set(expected)) == len(whole) == 8
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.5 / STEPS)


def test_everything_that_stacks_begin_with_scores_as_a_stack_of_its_own(site, table):
    every = recipes(site, [1, 2, 3])
    with site.bench() as bench:
        expected = [scores.values for scores in bench.screen(every)]
    assert len(table.scores) == len(every) == 14
    np.testing.assert_allclose(table.scores, expected, rtol=0, atol=0.5 / STEPS + 1e-6)


@pytest.mark.parametrize(("layers", "alike"), [(2, 4), (1, 1), (1, 2)])
def test_how_the_tree_is_cut_changes_nothing(site, table, layers, alike, monkeypatch):
    monkeypatch.setattr("scripts.benchmark.tabulate.walk.ALIKE", alike)
    other = joined(site, [scored(site, branch) for branch in branches(2, layers)])
    assert (other.counts == table.counts).all()
    assert other.made_from == table.made_from


def test_every_layer_is_applied_to_every_beginning_once(site, monkeypatch):
    count = Counter()
    whole, last = Decoder.layer, Decoder.last_layer
    monkeypatch.setattr(Decoder, "layer", lambda *given: count.update(["whole"]) or whole(*given))
    monkeypatch.setattr(Decoder, "last_layer", lambda *given: count.update(["last"]) or last(*given))
    monkeypatch.setattr("scripts.benchmark.tabulate.walk.ALIKE", 1)
    scored(site, (0,))
    # in one branch: 1 beginning of one layer and 2 of two, then the last layers of 4 stacks; each on every bucket
    buckets = count["last"] // 4
    assert count == {"whole": 3 * buckets, "last": 4 * buckets}


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_each_path_is_in_one_branch(layers):
    found = [path for branch in branches(3, layers) for group in batches(branch, 3, 5) for path in group]
    assert len(found) == len(set(found)) == 3 + 9 + 27 + 81 + 243


def test_a_batch_is_what_goes_on_from_four_layers():
    sizes = [len(group) for group in batches((0, 1), 4, 8)]
    assert sizes == [1, *[1, 341, 341, 341, 341] * 4]
    assert len(list(batches((1, 0), 4, 8))) == len(sizes) + 1  # whose first is (1,)


def test_parts_on_other_items_are_refused(site, parts):
    other = {**parts[1], "made_from": {**parts[1]["made_from"], "items": "others"}}
    with pytest.raises(ConfigurationError, match="parts made from the same items"):
        joined(site, [parts[0], other])


@pytest.fixture
def request_(site, tmp_path, monkeypatch):
    monkeypatch.setattr(Site, "open", lambda plan, models: site)
    monkeypatch.setattr(tabulate, "QUICK", Plan(items=5, sources=2, branch=1))

    def ask(told):
        kept = Kept(tmp_path / "out.json.part", {})
        return Request(True, 0, kept, told.append, out=tmp_path / "tables" / "out.json")

    return ask


def test_what_is_done_of_the_branches_is_kept(request_, table, tmp_path):
    said = [[], []]
    reports = [tabulate.run(request_(told)) for told in said]
    assert [len(told) for told in said] == [2, 0]
    assert reports[0].summary == reports[1].summary
    assert json.loads(json.dumps(reports[0].summary))["stacks"] == 8
    assert reports[0].summary["exits"] == 14
    back = load_table(tmp_path / "tables" / "out.tensors", dict(table.made_from))
    assert (back.counts == table.counts).all()
    assert back.sources == table.sources


def test_parts_of_other_models_are_not_taken(request_, site, monkeypatch):
    tabulate.run(request_([]))
    told = []
    monkeypatch.setattr(Site, "digest", "another")
    tabulate.run(request_(told))
    assert len(told) == 2


def test_the_whole_plan_is_every_same_index_stack_of_the_zoo():
    site = Site.open(tabulate.WHOLE, None)
    assert [source.name for source in site.sources] == list(zoo.SOURCES)
    assert (site.depth, site.items) == (8, 96)
    assert [objective.metric for objective in site.objectives] == ["answer_likelihood"] * 3
    assert math.prod([len(site.sources)] * site.depth) == 65_536


def test_a_table_that_is_not_there_is_refused():
    with pytest.raises(CheckpointError, match=r"c\.tensors: a readable file"):
        kept_table("c")


def test_the_kept_table_is_that_of_the_built_in_zoo():
    site = Site.open(tabulate.WHOLE, None)
    table = kept_table("a", {"sources": [source.digest for source in site.sources], "count": 96})
    some = np.random.default_rng(0).integers(4, size=(2, 8))
    with site.bench() as bench:
        expected = [scores.values for scores in bench.screen([recipe_of(site, tuple(path)) for path in some.tolist()])]
        assert dict(table.made_from)["items"] == bench.screen.digest
    np.testing.assert_allclose(table.at(some), expected, rtol=0, atol=1e-5)


def test_the_second_kept_table_is_of_other_models_and_the_same_items():
    first, second = kept_table("a"), kept_table("b")
    assert not {source.digest for source in first.sources} & {source.digest for source in second.sources}
    assert first.made_from == second.made_from
    assert first.counts.shape == second.counts.shape
