"""The command that users call, as a part of a benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hm3.archive import hypervolume
from hm3.objectives import Array, Normaliser
from hm3.runs import FrontFile, RunFolder

Split = Literal["search", "test"]
SPLITS: tuple[Split, ...] = ("search", "test")
ROOT = Path(__file__).resolve().parents[2]
PLAIN = ("evaluator.workers=0", "rivals=0", "export=false", "tracking.wandb=false")
"""Settings with which a search is measured and nothing else."""


def main_job(settings: Sequence[str], folder: Path) -> FrontFile:
    """Its result, in one thread, with nothing known from other runs.

    Args:
        settings: Of `hm3.train`.
        folder: An empty one.

    Raises:
        SystemExit: With what it printed, if it failed.
    """
    environment = os.environ | {"HM3_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    where = f"hydra.run.dir={folder / 'run'}"
    command = [sys.executable, "-m", "hm3.train", "+preference=balanced", *PLAIN, *settings, where]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return RunFolder(folder / "run").read_front()


def front_values(front: FrontFile, split: Split) -> Array:
    """(F, K) of the front, in units in which 1 is the best given source there: whatever is merged is no yardstick."""
    given = [source.scores.on(split, front.names) for source in front.sources if source.merge is None]
    normaliser = Normaliser.fit(front.names, front.normaliser.floors, [scores for scores in given if scores])
    scores = [member.scores.on(split, front.names) for member in front.candidates]
    return normaliser([each.values for each in scores if each])


def volume(front: FrontFile, split: Split) -> float:
    """Hypervolume of a front from scores of zero."""
    return hypervolume(front_values(front, split))
