"""Sources of one base, in a folder where the command is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hm3 import export
from tests.tiny import write_family


@pytest.fixture(scope="package")
def models(tmp_path_factory) -> dict[str, Path]:
    """``base`` and, near it, ``math``, ``code`` and ``chat``, of four layers."""
    return write_family(tmp_path_factory.mktemp("models"), ("math", "code", "chat"), depth=4)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def exporting(invoke, home):
    """Call ``python -m hm3.export``; the model's folder."""

    def called(*arguments: str, out: str = "model") -> Path:
        done = invoke(export.main, *arguments, f"out={out}")
        assert (done.code, done.err) == (0, "")
        return Path.cwd() / out

    return called


@pytest.fixture
def refused(invoke, home):
    """Call ``python -m hm3.export`` for something that cannot be; the line that it says."""

    def called(*arguments: str) -> str:
        done = invoke(export.main, *arguments, "out=model")
        assert (done.code, done.err.count("\n")) == (2, 1), done
        assert not Path("model").exists()
        return done.err

    return called


def content(folder: Path) -> Mapping[str, bytes]:
    """Every file of a folder with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
