"""``--multirun``: a run folder for each job, and no job is the worse for those before it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hm3 import train
from hm3.runs import RunFolder
from hm3.tracking import read_metrics

ROOT = Path(__file__).parents[2]
QUIET = ("hydra/hydra_logging=none", "hydra/job_logging=none")
CONFIG = """
seed: 0
preference: {weights: null}
hydra: {run: {dir: "runs/one"}, sweep: {dir: "runs", subdir: "${hydra.job.num}"}}
"""
PROGRAM = """
from hydra.core.hydra_config import HydraConfig
from hm3.command import command, preference_weights
from hm3.errors import TaskError

@command("train")
def main(config):
    print(config.seed, preference_weights(config, HydraConfig.get().overrides.task))
    if config.seed == 1:
        raise OSError(28, "No space left on device", "/somewhere/evaluations.sqlite")
    if config.seed == 2:
        raise TaskError("task gsm9k:\\nno such task")

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def program(tmp_path):
    """A command that shows what each of its jobs is given, and that two seeds break."""
    (tmp_path / "conf" / "preference").mkdir(parents=True)
    (tmp_path / "conf" / "train.yaml").write_text(CONFIG)
    for name in ("math_heavy", "code_heavy"):
        text = (ROOT / "conf" / "preference" / f"{name}.yaml").read_text()
        (tmp_path / "conf" / "preference" / f"{name}.yaml").write_text(text)
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "go.py").write_text(PROGRAM)

    def call(*overrides):
        return subprocess.run(
            [sys.executable, "-m", "program.go", "--multirun", *QUIET, *overrides],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


def test_every_preference_meets_every_seed(program):
    done = program("+preference=math_heavy,code_heavy", "seed=0,3")
    math, code = ({"math": 0.15, "code": 0.15, "translation": 0.15} | {name: 0.7} for name in ("math", "code"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"0 {math}", f"3 {math}", f"0 {code}", f"3 {code}"]


def test_stated_weights_are_a_choice_like_any_other(program):
    done = program("+preference=math_heavy", "+preference.weights={math:0.6,code:0.4},{math:1}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["0 {'math': 0.6, 'code': 0.4}", "0 {'math': 1}"]


def test_a_failed_job_is_one_line_and_the_others_run(program):
    done = program("seed=0,1,2,3")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["0", "1", "2", "3"]
    unexpected, expected = done.stderr.splitlines()
    assert unexpected.startswith("job 1: unexpected error: OSError: [Errno 28] No space left on device")
    assert expected == "job 2: error: task gsm9k: no such task"
    assert done.returncode == 1
    assert program("seed=0,2,3").returncode == 2


def test_a_mistake_that_no_job_could_run_with_is_said_once(program):
    done = program("seed=0,3", "+preference=math_heavy,chess")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: preference: one of code_heavy, math_heavy, got 'chess'\n"


def test_the_flag_comes_first(program):
    done = program("seed=0,3", "--multirun", "preference=null")
    assert (done.returncode, done.stdout) == (2, "")
    assert "settings are written key=value, without dashes, after flags such as --multirun" in done.stderr


def test_a_folder_that_cannot_be_made_is_the_sweeps(program, tmp_path):
    (tmp_path / "runs").write_text("a file")
    done = program("seed=0,3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: hydra.sweep.dir: a folder that can be written, got ")
    assert done.stderr.count("\n") == 1


def test_jobs_are_the_runs_that_they_would_be_alone(small, invoke, tmp_path, monkeypatch):
    """In one process, one after the other, each recorded by wandb: the fronts are those of single runs elsewhere."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    settings = [*small.overrides, "export=false", "+preference.weights={sums:0.7,words:0.3}"]
    jobs = ["tracking.wandb=true", "seed=1,2", f"hydra.sweep.dir={tmp_path / 'jobs'}"]
    done = invoke(train.main, "--multirun", *settings, *jobs)
    assert (done.code, done.err) == (0, "")
    for seed in (1, 2):
        monkeypatch.setenv("HM3_CACHE", str(tmp_path / f"cache {seed}"))
        job, alone = RunFolder(tmp_path / "jobs" / str(seed - 1)), RunFolder(tmp_path / f"alone {seed}")
        assert invoke(train.main, *settings, f"seed={seed}", f"hydra.run.dir={alone.path}").code == 0
        assert job.read_front().seed == seed
        assert job.front.read_bytes() == alone.front.read_bytes()
        assert read_metrics(job.metrics) == read_metrics(alone.metrics)
        assert len(list(job.path.glob("wandb/offline-run-*"))) == 1
    assert f"run folder: {tmp_path / 'jobs' / '1'}" in done.out


def test_the_objective_of_the_sweeps_is_logged_after_every_round(small, invoke, tmp_path):
    (name,) = {yaml.safe_load(path.read_text())["metric"]["name"] for path in (ROOT / "conf/sweeps").glob("*.yaml")}
    run = RunFolder(tmp_path / "run")
    rounds = ["online.refine=3", "export=false", f"hydra.run.dir={run.path}"]
    assert invoke(train.main, *small.overrides, *rounds).code == 0
    records = read_metrics(run.metrics)
    logged = [record[name] for record in records if name in record]
    assert len(logged) >= 1 + 3 + 1  # what was promoted, each round of local search, the end
    assert logged[-1] == records[-1]["summary"][name] == run.read_front().hypervolume_search
    assert run.read_front().hypervolume_search != run.read_front().hypervolume


def test_the_folders_of_a_multirun():
    hydra = yaml.safe_load((ROOT / "conf" / "train.yaml").read_text())["hydra"]
    assert hydra["sweep"] == {"dir": "multirun/${now:%Y-%m-%d}/${now:%H-%M-%S}", "subdir": "${hydra.job.num}"}
