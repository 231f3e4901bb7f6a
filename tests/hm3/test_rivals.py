"""The rivals are judged one at a time, and never at the cost of a source."""

from types import SimpleNamespace

import pytest

from hm3 import rivals
from hm3.parameter import specify
from hm3.recipe import Source
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
    fake = SimpleNamespace(
        checkpoints={
            source.name: SimpleNamespace(name=source.name, path=None, source=source) for source in (MATH, CODE)
        },
        search=Judge(set()),
        test=Judge(set()),
        add=lambda checkpoint: log.append(("add", checkpoint)),
        drop=lambda name: log.append(("drop", name)),
        log=log,
    )
    monkeypatch.setattr(rivals, "merge", lambda spec, paths, out: out)
    monkeypatch.setattr(rivals.Checkpoint, "open", lambda name, path, merge: name)
    return fake


def test_one_merge_at_a_time_is_resident(bench):
    judged = list(judged_rivals(bench, [LINEAR, TIES], depth=4))
    assert [rival.search for rival in judged] == ["linear even", "ties even"]
    assert bench.log == [(what, name) for name in ("linear even", "ties even") for what in ("add", "drop")]


def test_a_rival_that_is_a_source_already_stays_one(bench):
    bench.checkpoints["merged"] = SimpleNamespace(name="merged", path=None, source=Source.merged("merged", TIES))
    assert [rival.source.digest for rival in judged_rivals(bench, [TIES], depth=4)] == [TIES.digest]
    assert bench.log == []


def test_what_is_known_on_both_splits_is_not_even_built(bench):
    bench.search.known = bench.test.known = {LINEAR.digest}
    list(judged_rivals(bench, [LINEAR, TIES], depth=4))
    assert bench.log == [("add", "ties even"), ("drop", "ties even")]


def test_a_rival_is_called_by_method_and_weights():
    uneven = specify("linear", base=BASE, parents=(MATH, CODE), weights=(0.25, 0.75))
    assert (rival_name(LINEAR), rival_name(uneven)) == ("linear even", "linear 25/75")
