"""A parameter level that is killed goes on where it was, evaluates nothing twice and ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hm3 import merge_guests, train
from hm3.levels.journal import Journal
from hm3.parameter.pareto import Training
from hm3.runs import RunFolder
from hm3.sealed import unsealed

ROOT = Path(__file__).parents[3]


class Killed(BaseException):
    """What a test raises where a process would be killed."""


def killed(*arguments, **settings):
    raise Killed


def killed_after(method):
    """The method, and no more after it."""

    def wrapped(*arguments, **settings):
        method(*arguments, **settings)
        raise Killed

    return wrapped


def same(folder, whole):
    for name in ("front.json", "parameter.json"):
        assert (folder / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert not (folder / "resume").exists()


@pytest.fixture
def made(monkeypatch):
    """The digests of the merges that are made, in order."""
    digests, merge = [], merge_guests.merge_in_memory

    def counted(source, *rest):
        digests.append(source.digest)
        return merge(source, *rest)

    monkeypatch.setattr(merge_guests, "merge_in_memory", counted)
    return digests


@pytest.fixture
def until_it_ends(words, invoke, tmp_path):
    """Begin a run, go on with it as often as it is killed; its folder, and how often that was."""

    def until_it_ends(level):
        arguments, kills = [*words(level), f"resume={tmp_path / 'run'}"], 0
        while True:
            try:
                done = invoke(train.main, *arguments)
            except Killed:
                kills += 1
                assert kills < 20
            else:
                assert (done.code, done.err) == (0, "")
                return tmp_path / "run", kills

    return until_it_ends


@pytest.fixture
def empty_store(monkeypatch, tmp_path):
    monkeypatch.setenv("HM3_CACHE", str(tmp_path / "cache"))


MOMENTS = {
    "asked": ("ask", lambda method: killed_after(method), 4),  # 3 of the design in two batches, then 2
    "judged": ("tell", lambda method: once_for_each(method), 5),
    "told": ("tell", lambda method: killed_after(method), 5),
}


def once_for_each(tell):
    """Killed between the evaluation and the note of it, once for each merge."""
    seen = set()

    def wrapped(journal, candidate, values):
        if candidate.recipe.digest not in seen:
            seen.add(candidate.recipe.digest)
            raise Killed
        tell(journal, candidate, values)

    return wrapped


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_search_killed_at_every_evaluation_repeats_none(
    ran, until_it_ends, empty_store, made, monkeypatch, moment
):
    name, wrapped, times = MOMENTS[moment]
    monkeypatch.setattr(Journal, name, wrapped(getattr(Journal, name)))
    folder, kills = until_it_ends("mm_mo")
    print(kills, len(made), len(set(made)))
    same(folder, ran("mm_mo", "none"))
