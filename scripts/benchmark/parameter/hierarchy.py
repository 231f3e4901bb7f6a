"""Both levels together: the main job with each parameter level, by the command that users call."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from hm3.archive import hypervolume
from hm3.objectives import Normaliser
from hm3.runs import FrontFile, RunFolder

LEVELS = {
    "none": "stacks of the sources alone",
    "preference_weighted": "stacks under preference_weighted",
    "mm_mo": "stacks under mm_mo",
    "pareto_merging": "stacks under pareto_merging",
}
Split = Literal["search", "test"]
SPLITS: tuple[Split, ...] = ("search", "test")
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Run:
    """One call of the main job.

    Attributes:
        level: What ``parameter=`` is.
        seed: The run's.
        evaluations: Models and stacks that are judged in all, the parameter level's and the sources included.
        front: Stacks that the front keeps at most.
        overrides: Further settings.
    """

    level: str
    seed: int
    evaluations: int
    front: int
    overrides: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the part of the result is called."""
        return f"hierarchy {self.level} {self.seed}"

    def result(self) -> dict[str, Any]:
        """Call the main job and read its result."""
        with tempfile.TemporaryDirectory(prefix="hm3-benchmark-") as folder:
            began = time.perf_counter()
            _call([f"parameter={self.level}", f"seed={self.seed}", *self._settings], Path(folder))
            front = RunFolder(Path(folder) / "run").read_front()
            seconds = time.perf_counter() - began
        volumes = {split: _volume(front, split) for split in SPLITS}
        return {**asdict(self), "hypervolume": volumes, "judged": front.evaluations, "seconds": seconds}

    @property
    def _settings(self) -> list[str]:
        return [
            f"budget.evaluations={self.evaluations}",
            f"online.front={self.front}",
            "evaluator.workers=0",
            "rivals=0",
            "export=false",
            "tracking.wandb=false",
            *self.overrides,
        ]


def _call(settings: list[str], folder: Path) -> None:
    """The main job in one thread, with nothing known from other runs."""
    environment = os.environ | {"HM3_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "hm3.train", "+preference=balanced", *settings, f"hydra.run.dir={folder / 'run'}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _volume(front: FrontFile, split: Split) -> float:
    """Of the front, in units in which 1 is the best given source there: whatever a level merges is no yardstick."""
    given = [source.scores.on(split, front.names) for source in front.sources if source.merge is None]
    floors = front.normaliser.floors
    normaliser = Normaliser.fit(front.names, floors, [scores for scores in given if scores])
    scores = [member.scores.on(split, front.names) for member in front.candidates]
    return hypervolume(normaliser([each.values for each in scores if each]))
