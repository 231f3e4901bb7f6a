"""One call of the main job with one agent."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmark.main_job import SPLITS, front_values, main_job

ALONE = ("budget.offline=1.0",)  # no refinement by another searcher afterwards
AGENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ppo": ("PPO, then proposals and local search", ("agent=ppo",)),
    "surrogate_ppo": ("PPO with processes, then proposals and local search", ("agent=surrogate_ppo",)),
    "random": ("random, natural prior", ("agent=random", *ALONE)),
    "local_search": ("local search", ("agent=local_search", *ALONE)),
    "nsga3": ("NSGA-III", ("agent=nsga3", *ALONE)),
    "regularised_evolution": ("regularised evolution", ("agent=regularised_evolution", *ALONE)),
}
"""Agent -> how it is called, and its settings of the main job."""
SPACE = ("env.reach=null", "online.front=24")
LIGHT = ("evaluator.search_items=8", "evaluator.test_items=8", "evaluator.screen_items=8")


@dataclass(frozen=True)
class Limit:
    """How much a search may spend.

    Attributes:
        what: ``evaluations`` or ``minutes``.
        much: How many.
    """

    what: str
    much: float

    def __str__(self) -> str:
        return f"{self.much:g} {self.what}"


@dataclass(frozen=True)
class Run:
    """What is asked of a worker process.

    Attributes:
        agent: A row of `AGENTS`.
        seed: The run's.
        limit: What it may spend.
        light: Few items.
    """

    agent: str
    seed: int
    limit: Limit
    light: bool

    @property
    def name(self) -> str:
        """What the part of the result is called."""
        return f"{self.agent}, {self.limit} {self.seed}"

    def result(self) -> dict[str, Any]:
        """Call the main job; its front on both splits."""
        limit = f"budget.{self.limit.what}={self.limit.much:g}"
        settings = [*AGENTS[self.agent][1], *SPACE, *(LIGHT if self.light else ()), limit, f"seed={self.seed}"]
        with tempfile.TemporaryDirectory(prefix="hm3-benchmark-") as folder:
            began = time.perf_counter()
            front = main_job(settings, Path(folder))
            seconds = time.perf_counter() - began
        fronts = {split: np.round(front_values(front, split), 6).tolist() for split in SPLITS}
        limited = {"agent": self.agent, "seed": self.seed, "limit": str(self.limit)}
        return {**limited, "evaluations": front.evaluations, "seconds": round(seconds, 2), "fronts": fronts}
