"""A parameter level that is killed goes on where it was, evaluates nothing twice and ends as an undisturbed one."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
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


def once_after(method):
    """The method, and no more after it, for each number of things that the journal has heard of."""
    seen = set()

    def wrapped(journal, *arguments):
        method(journal, *arguments)
        if len(journal) not in seen:
            seen.add(len(journal))
            raise Killed

    return wrapped


def once_before(method):
    seen = set()

    def wrapped(journal, *arguments):
        if len(journal) not in seen:
            seen.add(len(journal))
            raise Killed
        method(journal, *arguments)

    return wrapped


def never(*_, **__):
    raise AssertionError("the parameter level began anew")


def killed(*_, **__):
    raise Killed


def same(folder, whole):
    for name in ("front.json", "parameter.json"):
        assert (folder / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert not (folder / "resume").exists()


@pytest.fixture
def made(monkeypatch):
    """The digests of the merges that are made."""
    digests, merge = Counter(), merge_guests.merge_in_memory

    def counted(source, *rest):
        digests[source.digest] += 1
        return merge(source, *rest)

    monkeypatch.setattr(merge_guests, "merge_in_memory", counted)
    return digests


@pytest.fixture
def until_it_ends(words, invoke, tmp_path, monkeypatch):
    """Begin a run with an empty store, go on with it as often as it is killed; its folder, and how often that was."""

    def until_it_ends(level, architecture="none"):
        monkeypatch.setenv("HM3_CACHE", str(tmp_path / "cache"))
        arguments, kills = [*words(level, architecture), f"resume={tmp_path / 'run'}"], 0
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


def test_a_search_killed_at_every_step_repeats_none(ran, until_it_ends, made, monkeypatch):
    whole = ran("mm_mo", "none")
    made.clear()
    monkeypatch.setattr(Journal, "ask", once_after(Journal.ask))
    monkeypatch.setattr(Journal, "tell", once_after(once_before(Journal.tell)))
    folder, kills = until_it_ends("mm_mo")
    assert kills == 3 + 2 * 5  # asked for 2, 1 and 2; judged, and then told of it, each of the five
    same(folder, whole)
    judged = [candidate["recipe"]["sources"][0]["digest"] for candidate in unsealed(whole.parameter)["judged"]]
    on_front = {member.recipe.sources[0].digest for member in whole.read_front().candidates}
    assert {digest: made[digest] for digest in judged} == {  # those on the front once more, for the test split
        digest: 1 + (digest in on_front) for digest in judged
    }


def test_a_training_killed_at_every_step_is_the_same_to_the_last_bit(ran, until_it_ends, monkeypatch):
    whole, step, steps = ran("pareto_merging", "none"), Training._step, []

    def killed_before(training, descent, objective):
        if descent.step and descent.step not in steps:
            steps.append(descent.step)
            raise Killed
        return step(training, descent, objective)

    monkeypatch.setattr(Training, "_step", killed_before)
    folder, kills = until_it_ends("pareto_merging")
    assert (kills, steps) == (2, [1, 2])
    same(folder, whole)
    assert (folder / "pareto_merging.tensors").read_bytes() == whole.tensor.read_bytes()


@pytest.mark.parametrize("level", ["mm_mo", "pareto_merging"])
def test_killed_between_the_levels_the_lower_does_not_begin_anew(ran, words, invoke, tmp_path, monkeypatch, level):
    whole, folder = ran(level, "search"), tmp_path / "run"
    arguments = [*words(level, "search"), f"resume={folder}"]
    with monkeypatch.context() as patch:
        patch.setattr("hm3.session.Session.sources_on_screen", killed)
        with pytest.raises(Killed):
            invoke(train.main, *arguments)
    assert RunFolder(folder).parameter.is_file()
    monkeypatch.setattr("hm3.levels.MergeSearch.__call__", never)
    monkeypatch.setattr("hm3.levels.ParetoMerging.__call__", never)
    done = invoke(train.main, *arguments)
    assert (done.code, done.err) == (0, "")
    same(folder, whole)


def test_killed_for_real(ran, words, tmp_path):
    whole, folder = ran("mm_mo", "none"), tmp_path / "run"
    env = os.environ | {"PYTHONPATH": str(ROOT), "HM3_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "hm3.train", *words("mm_mo"), f"resume={folder}"]
    journal = folder / "resume" / "parameter" / "settings.json"
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and not (journal.is_file() and unsealed(journal)["judged"]):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 1 <= len(unsealed(journal)["judged"]) <= 5
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    same(folder, whole)
