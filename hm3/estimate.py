"""What a run will take, said before the long work begins."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hm3.budget import Budget
from hm3.progress import Stage, clock_text

_GIGABYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what a run will take.

    Attributes:
        evaluations: Stacks that are judged, if none comes twice.
        seconds: From now on.
        memory: Bytes, over all processes.
    """

    evaluations: int
    seconds: float
    memory: int

    @classmethod
    def of(cls, stages: Sequence[Stage], pace: float, cache_bytes: int) -> Estimate:
        """From what the stages are to do.

        Args:
            stages: The run's.
            pace: Seconds that one stack takes on the screen.
            cache_bytes: What the prefix cache may still take, beside what is resident now.
        """
        evaluations = sum(stage.evaluations for stage in stages)
        seconds = pace * sum((stage.total - stage.done) * stage.cost for stage in stages)
        return cls(evaluations, seconds, resident_bytes() + cache_bytes)

    def within(self, budget: Budget) -> Estimate:
        """The estimate for a run that ends when a budget is gone, and not before."""
        shares = []
        if budget.evaluations is not None:
            shares.append(budget.evaluations / self.evaluations)
        if budget.minutes is not None:
            shares.append(60 * budget.minutes / self.seconds)
        share = min(shares, default=1.0)
        return replace(self, evaluations=round(share * self.evaluations), seconds=share * self.seconds)

    def __str__(self) -> str:
        memory = self.memory / _GIGABYTE
        return f"up to {self.evaluations:,} evaluations, about {clock_text(self.seconds)} and {memory:.1f} GB of memory"


def resident_bytes() -> int:
    """Memory of this process and its workers; where a system doesn't tell, this process's peak for each."""
    workers = [worker.pid for worker in multiprocessing.active_children() if worker.pid]
    try:
        return sum(_status_bytes(process) for process in ("self", *map(str, workers)))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit * (1 + len(workers))


def _status_bytes(process: str) -> int:
    lines = Path("/proc", process, "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
