"""The README's stack of two checkpoints by name, done against a hub of the tests' own."""

import pytest
import torch

from tests.guides import ROOT, do, steps
from tests.tiny import write_checkpoint

SECTION = "## A stack by hand"
NAMES = ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B-Instruct")


@pytest.fixture
def guide(tmp_path):
    """The section alone."""
    section = (ROOT / "README.md").read_text().split(SECTION)[1].split("\n## ")[0]
    (tmp_path / "guide.md").write_text(section)
    return tmp_path / "guide.md"


@pytest.fixture
def folder(hub, tmp_path, monkeypatch):
    """A folder to work in, and on the hub small models of the real ones' names, family and depth."""
    for seed, name in enumerate(NAMES):
        small = {"family": "qwen2", "depth": 24, "seed": seed, "tied": True, "dtype": torch.bfloat16}
        hub.add(name, write_checkpoint(tmp_path / name, **small))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_the_section_does_what_it_says(hub, guide, folder):
    found = list(steps(guide))
    assert [step.language for step in found] == ["yaml", "sh", "python", "sh"]
    for step in found:
        do(step, folder)
    assert found[2].printed == "32 layers"
    assert hub.repositories["org/stack"].private
    card = (folder / "stack" / "README.md").read_text()
    assert all(f"- {name}\n" in card for name in NAMES)
