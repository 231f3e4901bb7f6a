"""The rivals are judged one at a time, and never at the cost of a source."""

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hm3 import merge_guests
from hm3.parameter import specify
from hm3.recipe import MergeBlock, Source
from hm3.rivals import judged_rivals, rival_name

BASE, MATH, CODE = (Source(name, name) for name in ("base", "math", "code"))
LINEAR, TIES = (specify(method, base=BASE, parents=(MATH, CODE), weights=(0.5, 0.5)) for method in ("linear", "ties"))


class Judge:
    """Knows what it is told it knows; its scores are the recipe's own name."""

    def __init__(self, known):
        self.known = known

    def __call__(self, recipes):
        return [recipe.embedding_host for recipe in recipes]

    reports = __call__

    def knows(self, recipe):
        return recipe.sources[0].digest in self.known


@pytest.fixture
def bench(monkeypatch):
    log = []

    @contextmanager
    def guest(bench, source, parents, watch):
        log.append(("made", source.name, sorted(parents)))
        yield
        log.append(("gone", source.name))

    monkeypatch.setattr(merge_guests, "guests_of", lambda bench: guest)
    sources = {source.name: SimpleNamespace(source=source) for source in (BASE, MATH, CODE)}
    held = []
    return SimpleNamespace(
        checkpoints=sources,
        search=Judge(set()),
        test=Judge(set()),
        held=held,
        holds=lambda source: source.digest in held,
        log=log,
    )


def test_one_merge_at_a_time_is_resident(bench):
    judged = list(judged_rivals(bench, [LINEAR, TIES], depth=4))
    assert [rival.search for rival in judged] == ["linear even", "ties even"]
    parents = ["base", "code", "math"]
    assert bench.log == [
        ("made", "linear even", parents),
        ("gone", "linear even"),
        ("made", "ties even", parents),
        ("gone", "ties even"),
    ]


def test_a_rival_that_is_a_source_already_stays_one(bench):
    bench.held.append(TIES.digest)
    assert [rival.source.digest for rival in judged_rivals(bench, [TIES], depth=4)] == [TIES.digest]
    assert bench.log == []


def test_what_is_known_on_both_splits_is_not_even_built(bench):
    bench.search.known = bench.test.known = {LINEAR.digest}
    list(judged_rivals(bench, [LINEAR, TIES], depth=4))
    assert [entry[:2] for entry in bench.log] == [("made", "ties even"), ("gone", "ties even")]


def test_a_rival_is_called_by_method_and_weights():
    uneven = specify("linear", base=BASE, parents=(MATH, CODE), weights=(0.25, 0.75))
    assert (rival_name(LINEAR), rival_name(uneven)) == ("linear even", "linear 25/75")
    in_blocks = replace(uneven, blocks=(MergeBlock(2, (0.5, 0.5)), MergeBlock(4, (1.0, 0.0))))
    assert rival_name(in_blocks) == "linear 25/75, from layer 2 even, from layer 4 100/0"
