"""Runs under every parameter level, each made once for all tests of the folder."""

import pytest

from hm3 import train
from hm3.runs import RunFolder

WEIGHTS = "+preference.weights={sums:0.7,words:0.3}"
LEVELS = {
    "none": (),
    "preference_weighted": (),
    "mm_mo": ("parameter.proposer.initial=3", "parameter.budget=5", "parameter.batch=2", "parameter.sources=2"),
    "map": ("parameter.proposer.initial=4", "parameter.budget=5", "parameter.batch=1", "parameter.sources=2"),
    "pareto_merging": ("parameter.rank=2", "parameter.training={steps:3}"),
}


@pytest.fixture
def words(small):
    """What follows ``python -m hm3.train`` for a level and an architecture."""

    def words(level, architecture="none"):
        return [*small.overrides, f"parameter={level}", f"architecture={architecture}", *LEVELS[level], WEIGHTS]

    return words


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("levels")


@pytest.fixture
def ran(words, runs, invoke):
    """A run under a level, that nobody disturbed."""

    def ran(level, architecture):
        folder = runs / f"{level} {architecture}"
        if not folder.exists():
            done = invoke(train.main, *words(level, architecture), f"hydra.run.dir='{folder}'")
            assert (done.code, done.err) == (0, "")
        return RunFolder(folder)

    return ran
