"""Where a killed run goes on: after each rollout of its training, searcher and judged stacks as they were.

In the run folder, ``resume/`` has ``judged-0007.json`` (what rollout 7 judged first) for every rollout and
``0007/`` (the searcher's files and ``point.json``) for the last one. What comes after training needs no points of its
own: it follows from the searcher, the seed and what the evaluation store knows, so it is done again in little time.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path

from hm3.checkpoints import scratch_folder, staged_folder, write_atomic
from hm3.judged import Judged
from hm3.objectives import Candidate
from hm3.sealed import sealed, unsealed
from hm3.searchers import Saves

_POINT = "point.json"


@dataclass(frozen=True, slots=True)
class Point:
    """How far a run has come.

    Attributes:
        rollout: The last rollout that is done; 0 before the first.
        seconds: That the run has taken so far, over all its processes.
        metrics_bytes: Length of ``metrics.jsonl``.
    """

    rollout: int = 0
    seconds: float = 0.0
    metrics_bytes: int = 0


class ResumePoints:
    """The points of one run.

    Args:
        folder: ``resume/`` in the run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = 0  # candidates that are in the files, sources included
        self._kept_early: set[str] = set()

    @property
    def last(self) -> Point:
        """The last point that was written whole.

        Raises:
            ConfigurationError: It was damaged since.
        """
        numbers = (path.parent.name for path in self._folder.glob(f"*/{_POINT}"))
        found = max((name for name in numbers if name.isdecimal()), default=None, key=int)
        return Point(**unsealed(self._folder / found / _POINT)) if found else Point()

    @property
    def trained(self) -> bool:
        """Whether training was over."""
        return self._trained.is_file()

    def restore(self, searcher: Saves, judged: Judged, early: set[str]) -> Point:
        """Bring a searcher and what was judged to the last point.

        Args:
            searcher: Built with the same arguments.
            judged: Holds the sources, and nothing else.
            early: Takes in the digests of the stacks that were scored as early exits.

        Raises:
            ConfigurationError: The searcher was built with other arguments, or a file is damaged.
        """
        point = self.last
        for number in range(1, point.rollout + 1):
            record = unsealed(self._judged(number))
            for candidate in map(Candidate.from_json, record["stacks"]):
                judged.add([candidate.recipe], [candidate.scores])
            early.update(record["early"])
        self._kept, self._kept_early = len(judged.candidates), set(early)
        if point.rollout:
            searcher.restore(self._folder / _name(point.rollout))
        return point

    def write(self, point: Point, searcher: Saves, judged: Judged, early: AbstractSet[str]) -> None:
        """Write a point; a kill in between leaves the one before."""
        new = list(itertools.islice(judged.candidates.values(), self._kept, None))
        record = {"stacks": [each.to_json() for each in new], "early": sorted(early - self._kept_early)}
        write_atomic(self._judged(point.rollout), sealed(record))
        with staged_folder(self._folder / _name(point.rollout)) as folder:
            searcher.save(folder)
            (folder / _POINT).write_text(sealed(asdict(point)), encoding="utf-8")
        self._kept += len(new)
        self._kept_early |= early
        shutil.rmtree(self._folder / _name(point.rollout - 1), ignore_errors=True)

    def finish_training(self) -> None:
        """Training is over: a run that goes on doesn't begin another rollout."""
        write_atomic(self._trained, "")

    def clear(self) -> None:
        """Remove everything: the run is whole, or begins."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _trained(self) -> Path:
        return self._folder / "trained"

    def _judged(self, number: int) -> Path:
        return self._folder / f"judged-{_name(number)}.json"


def publish(searcher: Saves, folder: Path) -> None:
    """Write a searcher's files into a run folder; each is whole or as it was."""
    with scratch_folder(folder / "searcher") as scratch:
        searcher.save(scratch)
        for file in sorted(scratch.iterdir()):
            write_atomic(folder / file.name, file.read_bytes())


def _name(number: int) -> str:
    return f"{number:04}"
