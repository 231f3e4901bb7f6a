"""Many runs at once: finding their folders, and telling finished ones from others."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hm3.checks import path
from hm3.errors import ConfigurationError
from hm3.runs.finished import FinishedRun, read_finished
from hm3.runs.folder import RunFolder

_BEGUN = (".hydra/config.yaml", "metrics.jsonl", "resume")


@dataclass(frozen=True, slots=True)
class Gathered:
    """Runs, by what became of them.

    Attributes:
        finished: Those with a result, in order.
        unfinished: Names of those without: killed, or still at work.
        broken: Name -> why it cannot be read.
    """

    finished: tuple[FinishedRun, ...]
    unfinished: tuple[str, ...]
    broken: Mapping[str, str]


def find_runs(pattern: str) -> list[RunFolder]:
    """The folders of all runs at or below what a pattern matches, finished or not, in natural order.

    Args:
        pattern: A folder, or a glob: ``*`` is anything within a name, ``**`` any folders; ``~`` is the home.

    Raises:
        ConfigurationError: There is none.
    """
    matched = map(Path, glob.glob(str(path("runs", pattern)), recursive=True))  # noqa: PTH207 -- absolute ones too
    found = {run.resolve(): run for start in matched if start.is_dir() for run in _below(start)}
    if not found:
        raise ConfigurationError(f"runs: a folder or glob with runs below it, such as 'outputs/**', got {pattern!r}")
    return [RunFolder(each) for each in sorted(found.values(), key=_natural)]


def gather(runs: Sequence[RunFolder]) -> Gathered:
    """Read every run; what cannot be read is named and stops nothing.

    Raises:
        ConfigurationError: No run has a result that can be read.
    """
    finished: list[FinishedRun] = []
    unfinished: list[str] = []
    broken: dict[str, str] = {}
    for name, run in zip(_names([run.path for run in runs]), runs, strict=True):
        if not run.front.is_file():
            unfinished.append(name)
            continue
        try:
            finished.append(read_finished(name, run))
        except (ConfigurationError, OSError) as error:
            broken[name] = " ".join(str(error).split())
    if not finished:
        reasons = "".join(f"; {name}: {reason}" for name, reason in broken.items())
        raise ConfigurationError(f"runs: at least one with a result, got {len(unfinished)} without{reasons}")
    return Gathered(tuple(finished), tuple(unfinished), broken)


def _below(start: Path) -> Iterator[Path]:
    """The run folders at or below a folder; there are none inside a run."""
    for folder, below, files in os.walk(start):
        here = Path(folder)
        if "front.json" in files or any((here / file).exists() for file in _BEGUN):
            below.clear()
            yield here


def _natural(path: Path) -> list[tuple[int, str]]:
    """Numbers count as numbers: job 2 comes before job 10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _names(paths: Sequence[Path]) -> list[str]:
    """Each path without the folders that all share; a single one keeps its last two."""
    whole = [path.absolute() for path in paths]
    shared = Path(os.path.commonpath(whole)) if len(whole) > 1 else whole[0].parent.parent
    return [str(path.relative_to(shared)) if path != shared else path.name for path in whole]
