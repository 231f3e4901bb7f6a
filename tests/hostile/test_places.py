"""Where a run lives: full disks, homes that cannot be written, other locales, odd paths."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hm3 import evaluate, export, search, train
from tests.hm3.conftest import invoke, small  # noqa: F401 - fixtures
from tests.small_run import overrides

ROOT = Path(__file__).parents[2]


def call(words, cwd, **environment):
    """A command in a process of its own, one torch thread."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)


def python(module, *words):
    return [sys.executable, "-m", module, *words]


@pytest.fixture
def odd(small, tmp_path):  # noqa: F811
    """The small run with everything in folders of odd names."""
    folder = tmp_path / "Käse & Brot (größer), 日本"
    sources = {name: Path(shutil.copytree(path, folder / "models" / name)) for name, path in small.sources.items()}
    tasks = Path(shutil.copytree(small.tasks, folder / "my tasks"))
    return folder, overrides(sources, tasks)


def test_odd_paths_from_training_to_export(odd, invoke):  # noqa: F811
    folder, words = odd
    run, other, model = folder / "the run", folder / "another run", folder / "the model"
    assert invoke(train.main, *words, f"hydra.run.dir='{run}'").err == ""
    assert invoke(search.main, f"run='{run}'", f"hydra.run.dir='{other}'").err == ""
    assert invoke(export.main, f"run='{other}'", f"out='{model}'").err == ""
    assert json.loads((model / "recipe.json").read_text())["digest"]
    done = invoke(evaluate.main, f"run='{run}'")
    assert done.code == 0
    assert float(done.out.split("largest difference")[1]) <= 1e-4


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "LANG": "C"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},  # as in a Latin-1 locale
    ],
)
def test_another_locale(odd, locale):
    folder, _ = odd
    words = overrides({name: Path("models", name) for name in ("base", "one", "two")}, Path("my tasks"))
    done = call(python("hm3.train", *words, "hydra.run.dir=run"), folder, HM3_CACHE="cache", **locale)
    assert done.returncode == 0, done.stderr
    assert {"front.json", "model", "report.html"} <= {path.name for path in (folder / "run").iterdir()}


def test_a_home_that_cannot_be_written(small, tmp_path):  # noqa: F811
    words = python("hm3.train", *small.overrides, "hydra.run.dir=run", "tracking.wandb=true")
    environment = {"HOME": "/proc", "WANDB_MODE": "offline"}
    done = call(words, tmp_path, **environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "a folder that can be written, got /proc/.cache/hm3/merges" in done.stderr
    assert call(words, tmp_path, **environment, HM3_CACHE=str(tmp_path / "cache")).returncode == 0


def on_a_small_disk(kilobytes, folder, words):
    """Run words with `folder` on a disk of its own; what is left there is printed at the end."""
    command = f"{shlex.join(words)}; code=$?; echo; find {shlex.quote(str(folder))} -type f -o -type d; exit $code"
    mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs {shlex.quote(str(folder))} && {{ {command}; }}"
    return call(["unshare", "--mount", "--map-root-user", "sh", "-c", mount], ROOT)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("unshare") is None or on_a_small_disk(100, folder, ["true"]).returncode:
        pytest.skip("no disk of its own: this system lets nobody mount one")
    return folder


@pytest.mark.parametrize("kilobytes", [40, pytest.param(150, marks=pytest.mark.slow), 400, 1100])
def test_a_full_disk_is_one_line(small, disk, tmp_path, kilobytes):  # noqa: F811
    words = python("hm3.train", *small.overrides, f"hydra.run.dir={disk}/run", "offline.rollouts=3")
    done = on_a_small_disk(kilobytes, disk, ["env", f"HM3_CACHE={tmp_path / 'cache'}", *words])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "partial" not in done.stdout


def test_a_full_disk_under_the_store_is_one_line(small, disk, tmp_path):  # noqa: F811
    words = python("hm3.train", *small.overrides, f"hydra.run.dir={tmp_path / 'run'}", "offline.rollouts=9")
    store = f"evaluator.store={disk}/store.sqlite"
    done = on_a_small_disk(60, disk, ["env", f"HM3_CACHE={tmp_path / 'cache'}", *words, store])
    assert done.returncode == 2
    assert done.stderr.startswith("error: evaluator.store: a writable SQLite file, got ")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_under_an_export_leaves_nothing(small, disk, tmp_path, invoke):  # noqa: F811
    assert invoke(train.main, *small.overrides, f"hydra.run.dir={tmp_path / 'run'}").code == 0
    done = on_a_small_disk(60, disk, python("hm3.export", f"run={tmp_path / 'run'}", f"out={disk}/model"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: output {disk}/model: must be writable, got ")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout.split() == [str(disk)]
