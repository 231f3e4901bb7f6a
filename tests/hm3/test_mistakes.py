"""Whatever is wrong is one line that names the setting, the rule and what came; exit code 2; no results behind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hm3 import evaluate, export, report, search, train
from hm3.sealed import sealed, unsealed
from tests.small_run import write_tasks
from tests.tiny import edit_config, write_checkpoint

ROOT = Path(__file__).parents[2]
MATH = "sources.experts.sums.path"
TRAIN = {
    "preference": ("+preference=chess", "preference: one of balanced, code_heavy", "got 'chess'"),
    "objective": ("+preference.weights={chess:1}", "preference.weights: objectives are sums, words, got 'chess'"),
    "objective of a preset": ("+preference=math_heavy", "preference.weights: objectives are sums, words, got 'math'"),
    "negative weight": ("+preference.weights={sums:-1,words:2}", "preference.weights.sums: a finite number", "got -1"),
    "weight nan": ("+preference.weights={sums:nan,words:2}", "preference.weights.sums: a finite number", "got nan"),
    "weight text": ("+preference.weights={sums:much}", "preference.weights.sums: a finite number", "got 'much'"),
    "no weight": ("+preference.weights={sums:0,words:0}", "preference.weights: at least one above 0, got"),
    "no mapping": ("+preference.weights=[1,2]", "preference.weights: objectives with weights, in quotes", "got [1, 2]"),
    "rollouts": ("offline.rollouts=-1", "offline.rollouts: an integer of at least 0, got -1"),
    "episodes": ("offline.episodes=0", "offline.episodes: an integer of at least 1, got 0"),
    "corners": ("offline.corners=2", "offline.corners: a finite number from 0 to 1, got 2"),
    "kept out": ("offline.kept_out=[[1,0,0]]", "offline.kept_out: lists of 2 weights, got [1, 0, 0]"),
    "rivals": ("rivals=-3", "rivals: an integer of at least 0, got -3"),
    "divisions": ("online.divisions=-1", "online.divisions: an integer of at least 0, got -1"),
    "refine": ("online.refine=-1", "online.refine: an integer of at least 0, got -1"),
    "survivors": ("online.survivors=0", "online.survivors: an integer of at least 1, got 0"),
    "screen": ("evaluator.screen_items=0", "evaluator.screen_items: an integer of at least 1, got 0"),
    "test items": ("evaluator.test_items=0", "evaluator.test_items: an integer of at least 1, got 0"),
    "workers": ("evaluator.workers=-1", "evaluator.workers: an integer of at least 0, got -1"),
    "batch": ("evaluator.batch=0", "evaluator.batch: an integer of at least 1, got 0"),
    "cache": ("evaluator.cache_mb=-5", "evaluator.cache_mb: a finite number of at least 0, got -5"),
    "bank": ("evaluator.bank_mb=0", "evaluator.bank_mb: a finite number above 0, got 0"),
    "device": ("evaluator.device=quantum", "evaluator.device: auto or a device of here, got 'quantum'"),
    "dtype": ("evaluator.dtype=int4", "evaluator.dtype: one of float32, bfloat16, float16, got 'int4'"),
    "store": ("evaluator.store=/dev/null/store", "evaluator.store: a writable SQLite file, got /dev/null/store"),
    "merges": ("merges=/dev/null/merges", "merges: a folder that can be written, got /dev/null/merges"),
    "seed text": ("seed=abc", "seed: an integer from 0 to", "got 'abc'"),
    "seed range": ("seed=-1", "seed: an integer from 0 to", "got -1"),
    "flag": ("tracking.wandb=maybe", "tracking.wandb: true or false, got 'maybe'"),
    "section": ("evaluator=fast", "evaluator: settings by name, evaluator.KEY=VALUE, got 'fast'"),
    "typo": ("offline.rolouts=3", "offline.rolouts: no such setting", "did you mean rollouts?"),
    "deep": ("env.min_depth=99 env.max_depth=99", "env.min_depth: 7 sources of 4 layers", "got 99"),
    "depth order": ("env.min_depth=4 env.max_depth=3", "env.max_depth: an integer of at least min_depth = 4, got 3"),
    "depth text": ("env.min_depth=deep", "env.min_depth: an integer of at least 1, got 'deep'"),
    "reach": ("env.reach=-1", "env.reach: an integer of at least 0, got -1"),
    "host": ("env.host=chess", "env.host: one of searched, follow, base", "got 'chess'"),
    "method": ("parameter.method=stir", "merge method: one of", "got 'stir'"),
    "anchor lattice": ("parameter.divisions=1", "parameter.divisions: an integer of at least 2, got 1"),
    "scale": ("parameter.method=linear parameter.scales=[2]", "merge linear: settings are normalize, got lambda"),
    "anchor": ("parameter.anchors=[{chess:1}]", "objectives are sums, words, got 'chess'"),
    "reference": ("utility.reference=0", "utility.reference: a finite number above 0, got 0"),
    "width": ("agent.width=wide", "agent.width: an integer from 1 to 4096, got 'wide'"),
    "learning rate": ("agent.learning_rate=0.001", "agent.learning_rate: a list, got 0.001"),
    "utility": ("+utility.power=2", "utility: settings that hm3.objectives.Tchebycheff takes, got", "power"),
    "budget": ("budget.evaluations=2", "budget.evaluations: at least", "got 2"),
    "path": (f"{MATH}={'a' * 300}", "source sums: a path, got 'aaa", "File name too long"),
    "nobody's home": (f"{MATH}='~nobody-of-here/model'", "source sums: a path, got '~nobody-of-here/model'"),
    "agent": ("+agent.wheels=4", "agent: settings that agents.PPO takes, got", "wheels"),
    "task": ("tasks.objectives.sums.task=chess", "task: an lm-eval task", "got 'chess'"),
    "metric": ("tasks.objectives.sums.metric=elo", "task tiny_sums: metrics are likelihood, exact, got 'elo'"),
    "floor": ("+tasks.objectives.sums.floor=low", "tasks.objectives.sums.floor: a finite number", "got 'low'"),
    "include": ("tasks.include=[/no/tasks]", "tasks.include: folders with task files, got '/no/tasks'"),
    "no objectives": ("tasks.objectives=null", "tasks.objectives: at least one"),
    "source": (f"{MATH}=/no/model", "source sums (/no/model): path: a folder, got nothing there"),
    "zoo": (f"{MATH}=zoo:chess", "source sums: the zoo has base, math, code, translation, got 'zoo:chess'"),
    "base": ("sources.base=null", "source base: a folder or zoo:NAME, got None"),
    "no experts": ("sources.experts=null", "sources.experts: at least one"),
    "expert's objective": (
        "sources.experts.sums.objectives=[chess]",
        "sources.experts.sums.objectives: of sums, words, got 'chess'",
    ),
    "mismatch": ("sources.on_mismatch=shrug", "on_mismatch: refuse or host, got 'shrug'"),
}


@pytest.fixture
def refused(invoke, small, tmp_path):
    """Train with mistakes; the one line about them."""

    def line(*overrides: str) -> str:
        done = invoke(train.main, *small.overrides, *overrides, f"hydra.run.dir={tmp_path / 'run'}")
        assert done.code == 2, done.err
        assert done.err.count("\n") == 1
        left = {path.name for path in (tmp_path / "run").glob("*")}
        assert left <= {".hydra", "metrics.jsonl"}
        return done.err

    return line


@pytest.mark.parametrize("mistake", TRAIN)
def test_a_setting(refused, mistake):
    overrides, *parts = TRAIN[mistake]
    line = refused(*overrides.split(" "))
    assert line.startswith("error: ")
    assert all(part in line for part in parts), line


def truncated(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def no_checkpoint(folder):
    shutil.rmtree(folder)
    folder.mkdir()


SOURCES = {
    truncated: "model.safetensors",
    pickled: "pytorch_model.bin",
    no_checkpoint: "config.json",
    lambda folder: write_checkpoint(folder, width=64): "hidden_size must equal that of base, 32, got 64",
    lambda folder: edit_config(folder, num_attention_heads=8): "that its config implies, [32, 64], got [32, 32]",
    lambda folder: edit_config(folder, model_type="mamba"): "got 'mamba'",
}


@pytest.mark.parametrize("damage", SOURCES)
def test_a_source(refused, small, tmp_path, damage):
    folder = shutil.copytree(small.sources["one"], tmp_path / "source")
    damage(folder)
    line = refused(f"{MATH}={folder}")
    assert "source sums" in line
    assert SOURCES[damage] in line


def test_an_item_without_an_answer(refused, tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    rows = json.loads((tasks / "sums.json").read_text())
    rows["search"][1]["answer"] = ""
    (tasks / "sums.json").write_text(json.dumps(rows))
    assert "task tiny_sums, item 1: an answer" in refused(f"tasks.include=['{tasks}']")


def test_a_run_folder_that_cannot_be(invoke, small, tmp_path):
    (tmp_path / "file").write_text("")
    done = invoke(train.main, *small.overrides, f"hydra.run.dir={tmp_path / 'file' / 'run'}")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"hydra.run.dir: a folder that can be written, got {tmp_path / 'file'}" in done.err


@pytest.mark.parametrize("command", [search, evaluate, export])
def test_a_run_that_is_none(invoke, command, tmp_path):
    settings = [f"run={tmp_path}", *([f"out={tmp_path / 'out'}"] if command is export else [])]
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    done = invoke(command.main, *settings, *quiet, f"hydra.run.dir={tmp_path / 'new'}", "hydra.output_subdir=null")
    assert done.code == 2
    assert done.err == f"error: run: the folder of a run, with .hydra/config.yaml, got {tmp_path}\n"


@pytest.fixture(scope="module")
def one_run(tmp_path_factory):
    return tmp_path_factory.mktemp("one") / "run"


@pytest.fixture
def run(invoke, small, one_run):
    """A short run, made once."""
    if not one_run.exists():
        few = ["offline.rollouts=1", "rivals=0", "export=false", f"hydra.run.dir={one_run}"]
        assert invoke(train.main, *small.overrides, *few).code == 0
    return one_run


def test_an_unknown_candidate(run, invoke, tmp_path):
    done = invoke(export.main, f"run={run}", "candidate=0123zz", f"out={tmp_path / 'out'}")
    assert done.code == 2
    assert "candidate: the beginning of one digest on the front, got '0123zz' (0 fit)" in done.err


def test_a_target_with_content(run, invoke, tmp_path):
    (tmp_path / "precious").write_text("")
    done = invoke(export.main, f"run={run}", f"out={tmp_path}")
    assert done.code == 2
    assert f"output {tmp_path}: a new folder, got one with content" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_target_inside_a_source(run, invoke, small):
    target = small.sources["base"] / "merged"
    done = invoke(export.main, f"run={run}", f"out={target}")
    assert done.code == 2
    assert f"output {target}: neither in, at nor above a source" in done.err
    assert not target.exists()


def test_a_target_that_cannot_be(run, invoke):
    done = invoke(export.main, f"run={run}", "out=/dev/null/model")
    assert done.code == 2
    assert "output /dev/null/model: must be writable" in done.err


@pytest.mark.parametrize("name", ["policy.zip", "agent.json", "pool.json"])
def test_a_trained_policy_that_was_cut(run, invoke, tmp_path, name):
    moved = shutil.copytree(run, tmp_path / "run")
    (moved / name).write_bytes((moved / name).read_bytes()[:-100])
    done = invoke(search.main, f"run={moved}", f"hydra.run.dir={tmp_path / 'new'}", "hydra/job_logging=none")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert str(moved if name == "policy.zip" else moved / name) in done.err
    assert not (tmp_path / "new" / "start.json").exists()


def test_a_start_that_was_cut(run, invoke, tmp_path):
    moved = shutil.copytree(run, tmp_path / "run")
    (moved / "start.json").write_bytes((moved / "start.json").read_bytes()[:-100])
    done = invoke(train.main, f"resume={moved}", "hydra/job_logging=none", "hydra/hydra_logging=none")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"{moved / 'start.json'}: as a run wrote it, got no JSON" in done.err


def test_a_report_never_takes_the_place_of_a_device(run, invoke, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    done = invoke(report.main, f"run={run}", f"out={tmp_path / 'pipe'}")
    assert (done.code, done.err) == (2, f"error: output {tmp_path / 'pipe'}: a file, got something else there\n")
    assert (tmp_path / "pipe").is_fifo()


def test_candidates_are_chosen_or_all(run, invoke):
    done = invoke(evaluate.main, f"run={run}", "candidates=some")
    assert (done.code, done.err) == (2, "error: candidates: chosen or all, got 'some'\n")


def test_a_policy_of_other_sources(run, invoke, small, tmp_path):
    moved = shutil.copytree(run, tmp_path / "run")
    pool = unsealed(moved / "pool.json")
    pool["depths"][0] += 1
    (moved / "pool.json").write_text(sealed(pool))
    done = invoke(search.main, f"run={moved}", f"hydra.run.dir={tmp_path / 'new'}", "hydra/job_logging=none")
    assert done.code == 2
    assert f"run: sources and rules as when {moved} was trained, got others" in done.err


@pytest.mark.parametrize(
    ("module", "overrides", "line"),
    [
        ("train", ["+preference=chess"], "error: preference: one of"),
        ("train", ["evaluator.device=quantum"], "error: evaluator.device: auto or a device of here"),
        ("export", ["run=/no/run", "out=/no/out"], "error: run: the folder of a run"),
    ],
)
def test_as_users_call_it(module, overrides, line, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", f"hm3.{module}", *overrides],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HM3_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(line)
    assert not (tmp_path / "cache").exists()
