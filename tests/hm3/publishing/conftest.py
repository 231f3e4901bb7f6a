"""A run that never was, over real tiny models, and the export command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hm3 import export
from hm3.checkpoints import Checkpoint
from hm3.recipe import LayerRef, Recipe
from hm3.runs import Member, SplitScores
from tests.guides import ROOT
from tests.hub import Hub
from tests.tiny import write_family
from tests.tiny_runs import small_front, write_run


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, Path]:
    """``base`` and ``chat``, four layers each."""
    return write_family(tmp_path_factory.mktemp("models"), ("chat",), family="qwen2", tied=True)


@pytest.fixture
def run(tmp_path, models) -> Path:
    """The folder of a run whose front holds two stacks of both models."""
    sources = {name: Checkpoint.open(name, folder).source for name, folder in models.items()}
    paths = ("base:0 base:1 chat:1 chat:2", "base:0 chat:1 chat:2 chat:3 chat:3")
    members = []
    for number, path in enumerate(paths):
        refs = [LayerRef(name, int(layer)) for name, _, layer in (each.partition(":") for each in path.split())]
        scores = {"math": 0.75 - number / 2, "code": 0.25 + number / 2}
        members.append(Member(Recipe.build(refs, "base", "chat", sources), SplitScores(scores, scores)))
    settings = {
        "sources": {"base": str(models["base"]), "experts": {"chat": str(models["chat"])}, "on_mismatch": "refuse"},
        "tasks": {"include": []},
        "merges": str(tmp_path / "merges"),
        "utility": {"_target_": "hm3.objectives.Linear"},
    }
    front = small_front(candidates=tuple(members), chosen=members[0].recipe.digest)
    folder = write_run(tmp_path / "run", front, settings)
    (folder.path / ".hydra" / "hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: {tmp_path}}}}}\n")
    folder.picture.write_bytes(b"\x89PNG a picture")
    return folder.path


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def exporting(invoke, hub, home):
    """Call ``python -m hm3.export`` with this hub as the Hub."""
    return lambda *arguments: invoke(export.main, *arguments)


def alone(hub: Hub, home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command in a process of its own, as a user calls it."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    known = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "hm3.export", *arguments],
        cwd=home,
        env=plain | hub.environment(home.parent) | known | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
