"""Whatever a program does, it ends in seconds, and neither files nor processes stay."""

import time

import pytest

from tests.tiny_sandbox import left


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where sandboxes get their folders."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    began = time.monotonic()
    yield tmp_path
    assert time.monotonic() - began < 10
    assert left(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
