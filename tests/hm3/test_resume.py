"""A run that is killed goes on and ends as if nothing had happened."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hm3 import search, train
from hm3.resume_points import ResumePoints
from hm3.tracking import read_metrics

ROOT = Path(__file__).parents[2]
WEIGHTS = "+preference.weights={sums:0.7,words:0.3}"
MORE = ("offline.rollouts=4", "online.refine=2")


class Killed(BaseException):
    """What a test raises where a process would be killed."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("resumed")


@pytest.fixture
def whole(small, runs, invoke):
    """The run that nobody disturbs, once for all tests here."""
    folder = runs / "whole"
    if not folder.exists():
        assert invoke(train.main, *small.overrides, *MORE, WEIGHTS, f"hydra.run.dir={folder}").code == 0
    return folder


def same(folder, whole):
    names = {path.name for path in folder.iterdir() if path.suffix != ".log"}
    assert names == {path.name for path in whole.iterdir() if path.suffix != ".log"}
    assert "resume" not in names
    for name in ("front.json", "metrics.jsonl", "agent.json", "model/model.safetensors", "model/recipe.json"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize("rollout", [1, 2, 4])
def test_killed_while_a_point_is_written_it_goes_on_from_the_one_before(
    small, whole, invoke, tmp_path, monkeypatch, rollout
):
    write = ResumePoints.write

    def killed(points, point, *rest):
        if point.rollout == rollout:
            (points._folder / f"{rollout:04}").mkdir(parents=True)  # what a point without its content would be
            (points._folder / f"{rollout:04}").rmdir()
            raise Killed
        write(points, point, *rest)

    folder = tmp_path / "run"
    monkeypatch.setattr(ResumePoints, "write", killed)
    with pytest.raises(Killed):
        invoke(train.main, *small.overrides, *MORE, WEIGHTS, f"hydra.run.dir={folder}")
    assert ResumePoints(folder / "resume").last.rollout == rollout - 1
    monkeypatch.setattr(ResumePoints, "write", write)
    assert invoke(train.main, f"resume={folder}").code == 0
    same(folder, whole)


@pytest.mark.parametrize("stage", ["propose", "compare", "promote", "refine", "closing"])
def test_killed_after_training_it_does_not_train_again(small, whole, invoke, tmp_path, monkeypatch, stage):
    def killed(*arguments, **settings):
        raise Killed

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("hm3.closing.export" if stage == "closing" else f"hm3.session.Session.{stage}", killed)
        with pytest.raises(Killed):
            invoke(train.main, *small.overrides, *MORE, WEIGHTS, f"hydra.run.dir={folder}")
    with monkeypatch.context() as patch:
        patch.setattr("hm3.session.Session.offline", killed)
        done = invoke(train.main, f"resume={folder}")
    assert (done.code, done.err) == (0, "")
    same(folder, whole)


def test_with_early_exits_too(small, invoke, tmp_path, monkeypatch):
    words = [*small.overrides, *MORE, WEIGHTS, "agent.credit._target_=agents.Potential", "env.exits=true"]
    assert invoke(train.main, *words, f"hydra.run.dir={tmp_path / 'whole'}").code == 0
    write = ResumePoints.write
    with monkeypatch.context() as patch:
        patch.setattr(ResumePoints, "write", lambda points, point, *rest: write(points, point, *rest) or stop(point, 2))
        with pytest.raises(Killed):
            invoke(train.main, *words, f"hydra.run.dir={tmp_path / 'run'}")
    assert invoke(train.main, f"resume={tmp_path / 'run'}").code == 0
    same(tmp_path / "run", tmp_path / "whole")
    assert any("offline/exits" in record for record in read_metrics(tmp_path / "run/metrics.jsonl"))


def stop(point, rollout):
    if point.rollout == rollout:
        raise Killed


def test_a_search_goes_on_too(small, whole, invoke, tmp_path, monkeypatch):
    words = "+preference.weights={words:1}"
    assert invoke(search.main, f"run={whole}", words, f"hydra.run.dir={tmp_path / 'one'}").code == 0
    with monkeypatch.context() as patch:
        patch.setattr("hm3.session.Session.refine", lambda *_, **__: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            invoke(search.main, f"run={whole}", words, f"hydra.run.dir={tmp_path / 'two'}")
    assert invoke(search.main, f"resume={tmp_path / 'two'}").code == 0
    assert (tmp_path / "two/front.json").read_bytes() == (tmp_path / "one/front.json").read_bytes()


def test_the_same_words_begin_a_run_or_go_on_with_it(small, whole, invoke, tmp_path):
    words = [*small.overrides, *MORE, WEIGHTS, f"resume={tmp_path / 'run'}"]
    assert invoke(train.main, *words).code == 0
    same(tmp_path / "run", whole)
    assert (tmp_path / "run/.hydra/overrides.yaml").is_file()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    again = invoke(train.main, *words)
    assert (again.code, again.out) == (0, f"nothing left to do in run folder: {tmp_path / 'run'}\n")
    changed = [str(path.relative_to(tmp_path)) for path, when in before.items() if path.stat().st_mtime_ns != when]
    assert set(changed) <= {"run", "run/start.json"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "error: resume: the folder of a run that was begun, got {folder}\n"),
        (("seed=4",), "error: resume: a run goes on with the settings that it began with, got seed=4 too\n"),
        (("--multirun",), "job 0: error: resume: one run at a time, without --multirun\n"),
    ],
)
def test_what_cannot_go_on_is_one_line(whole, invoke, tmp_path, words, line):
    folder = whole if words else tmp_path / "none"
    done = invoke(train.main, f"resume={folder}", *words)
    assert (done.code, done.err) == (2, line.format(folder=folder))


def test_two_processes_never_work_in_one_folder(small, whole, invoke, tmp_path):
    with subprocess.Popen(["flock", str(whole), "sleep", "60"]) as other:
        try:
            while subprocess.run(["flock", "-n", str(whole), "true"], check=False).returncode == 0:
                time.sleep(0.01)
            done = invoke(train.main, f"resume={whole}")
        finally:
            other.kill()
            subprocess.run(["pkill", "-P", str(other.pid)], check=False)
    assert done.code == 2
    assert done.err == f"error: run folder: one that no other process works in, got {whole}\n"


def start(words, cache):
    env = os.environ | {"PYTHONPATH": str(ROOT), "HM3_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "hm3.train", *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out


def killed_and_resumed(small, folder, kills, rng):
    """Kill runs so many times at random moments, most of them at work; return after which rollouts."""
    work = ("offline.rollouts=8", "offline.episodes=24", "online.refine=2", "evaluator.workers=1")
    words, whole = [*small.overrides, *work, WEIGHTS], folder / "whole"
    began, after, number = time.monotonic(), [], 0
    timed = start([*words, f"resume={whole}"], folder / "cache of the whole")
    while timed.poll() is None and not (whole / "start.json").exists():
        time.sleep(0.01)
    ready = time.monotonic() - began
    finish(timed)
    span = time.monotonic() - began
    while len(after) < kills:
        run = folder / str(number)
        process = start([*words, f"resume={run}"], folder / "cache")
        if rng.random() < 0.5:
            time.sleep(rng.uniform(ready if rng.random() < 0.8 else 0, span))
        else:  # in training, which is over in no time
            points, rollout = ResumePoints(run / "resume"), rng.randint(1, 8)
            while process.poll() is None and points.last.rollout < rollout and not points.trained:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.05))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            after.append(ResumePoints(run / "resume").last.rollout)
        else:  # it was done before its turn: another one
            assert process.returncode == 0, process.stdout.read()
            assert_same(run, whole)
            number += 1
        process.communicate()
    finish(start([*words, f"resume={folder / str(number)}"], folder / "cache"))
    assert_same(folder / str(number), whole)
    return after


def assert_same(run, whole):
    for name in ("front.json", "metrics.jsonl", "agent.json"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name
    assert not (run / "resume").exists()


def test_killed_for_real_three_times(small, tmp_path):
    assert len(killed_and_resumed(small, tmp_path, 3, random.Random(0))) == 3


@pytest.mark.slow
def test_killed_for_real_twenty_times(small, tmp_path):
    after = [
        rollout
        for number in range(5)
        for rollout in killed_and_resumed(small, tmp_path / str(number), 4, random.Random(number))
    ]
    assert len(after) == 20
    assert len(set(after)) > 2  # moments of different rollouts


def test_an_export_is_whole_or_absent_whenever_it_is_killed(whole, tmp_path):
    """Killed as soon as it shows anything beside its target, and later and later."""
    rng, target, words = random.Random(0), tmp_path / "model", ["-m", "hm3.export", f"run={whole}"]
    for _ in range(3):
        process = subprocess.Popen([sys.executable, *words, f"out={target}"], cwd=ROOT)
        while process.poll() is None and not list(tmp_path.glob(".model.partial-*")) and not target.exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
        process.wait()
        if target.exists():
            assert {"config.json", "model.safetensors", "recipe.json"} <= {path.name for path in target.iterdir()}
            shutil.rmtree(target)
    subprocess.run([sys.executable, *words, f"out={target}"], cwd=ROOT, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (target / "model.safetensors").read_bytes() == (whole / "model/model.safetensors").read_bytes()


def test_two_runs_at_once_on_one_store_do_no_harm(small, whole, tmp_path):
    words = [*small.overrides, *MORE, WEIGHTS]
    both = [start([*words, f"hydra.run.dir={tmp_path / name}"], tmp_path / "cache") for name in ("one", "two")]
    for process in both:
        finish(process)
    for name in ("one", "two"):
        assert (tmp_path / name / "front.json").read_bytes() == (whole / "front.json").read_bytes()


def test_metrics_go_on_where_they_were(whole):
    told = [record.get("offline/rollout") for record in read_metrics(whole / "metrics.jsonl")]
    assert [number for number in told if number] == [1, 2, 3, 4]
