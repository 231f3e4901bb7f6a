"""Both levels together: the main job with each parameter level, by the command that users call."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.benchmark.main_job import SPLITS, main_job, volume

LEVELS = {
    "none": "stacks of the sources alone",
    "preference_weighted": "stacks under preference_weighted",
    "mm_mo": "stacks under mm_mo",
    "pareto_merging": "stacks under pareto_merging",
}


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
            front = main_job([f"parameter={self.level}", f"seed={self.seed}", *self._settings], Path(folder))
            seconds = time.perf_counter() - began
        volumes = {split: volume(front, split) for split in SPLITS}
        return {**asdict(self), "hypervolume": volumes, "judged": front.evaluations, "seconds": seconds}

    @property
    def _settings(self) -> list[str]:
        return [
            f"budget.evaluations={self.evaluations}",
            f"online.front={self.front}",
            *self.overrides,
        ]
