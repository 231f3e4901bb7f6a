"""The guide to the Hub, done against a hub of the tests' own."""

import json

import pytest
import torch

from tests.guides import ROOT, do, steps
from tests.tiny import write_checkpoint

GUIDE = ROOT / "docs" / "hub.md"


def test_every_block_is_saved_or_run():
    found = list(steps(GUIDE))
    assert all(step.file or step.language in ("sh", "python") for step in found)
    assert sum(len(step.promised) for step in found) == 5
    assert [step.printed for step in found if step.printed] == ["layers in http", "6 layers"]


@pytest.fixture
def folder(hub, tmp_path, monkeypatch):
    """A folder to work in, and on the hub what the guide names."""
    for seed, name in enumerate(("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B-Instruct")):
        hub.add(name, write_checkpoint(tmp_path / name, family="qwen2", seed=seed, tied=True, dtype=torch.float32))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_the_guide_does_what_it_says(hub, folder):
    for step in steps(GUIDE):
        do(step, folder)
    assert hub.repositories["org/stack"].private
    commits = [
        source["origin"].partition("@")[2]
        for source in json.loads((folder / "again/recipe.json").read_text())["sources"]
    ]
    assert commits == [hub.repositories[name].head.oid for name in ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B-Instruct")]
