"""Sources and tasks of the main job in small, written once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.small_run import Outcome, call, overrides, write_tasks
from tests.tiny import write_family


@dataclass(frozen=True)
class Small:
    """The main job in small.

    Attributes:
        sources: Name -> folder.
        tasks: The folder with task files.
        overrides: What makes ``conf/train.yaml`` this job.
    """

    sources: dict[str, Path]
    tasks: Path
    overrides: list[str]


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    sources = write_family(folder / "models", ("one", "two"), depth=4, noise=0.1)
    tasks = write_tasks(folder / "tasks")
    return Small(sources, tasks, overrides(sources, tasks))


@pytest.fixture
def invoke(capsys, monkeypatch, tmp_path_factory):
    """Call a command in this process, as ``python -m`` would, with the caches of this test run."""
    monkeypatch.setenv("HM3_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))

    def invoked(main, *arguments: str) -> Outcome:
        return call(main, list(arguments), capsys)

    return invoked
