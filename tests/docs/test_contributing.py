"""The examples of CONTRIBUTING.md, applied to a copy of the clone in their order."""

import shutil
import subprocess
import sys

import pytest

from tests.guides import ROOT, do, steps

GUIDE = ROOT / "CONTRIBUTING.md"
CLONE = (
    "agents",
    "conf",
    "docs",
    "envs",
    "hm3",
    "scripts",
    "tests",
    "constraints.txt",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)


def test_every_block_is_saved_added_or_run():
    found = list(steps(GUIDE))
    assert all(step.file or step.language == "sh" for step in found)
    assert [step.table for step in found if step.table] == ["METHODS", "FAMILIES", "SAMPLES"]


@pytest.fixture
def clone(tmp_path):
    for name in CLONE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_examples_work(clone):
    for step in steps(GUIDE):
        said = do(step, clone)
        if "pytest" in step.text:
            assert "passed" in said
            assert "skipped" not in said


def test_the_searcher_is_in_our_own_style(clone):
    for step in steps(GUIDE):
        if step.file.startswith("agents"):
            do(step, clone)
            checked = [sys.executable, "-m", "ruff", "check", step.file]
            done = subprocess.run(checked, cwd=clone, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stdout
