"""The four models of a zoo and its tasks, for an evaluator that forgets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.composition.tasks import open_objectives, task_folders
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.recipe import Source, digest_of
from hm3.workbench import Workbench
from scripts.benchmark.zoo import CONF, cores


@dataclass(frozen=True)
class Plan:
    """How much is scored.

    Attributes:
        items: Search items of each task: the screen's choice of so many.
        sources: Of the zoo's models, the first so many.
        branch: Layers that the stacks of one part have in common.
    """

    items: int
    sources: int
    branch: int


@dataclass(frozen=True)
class Site:
    """What stacks are made of and judged by.

    Attributes:
        checkpoints: The models, the base first.
        objectives: What is scored.
        include: Folders with task files.
        items: Search items of each task.
        workers: Processes that score.
    """

    checkpoints: tuple[Checkpoint, ...]
    objectives: tuple[Objective, ...]
    include: tuple[Path, ...]
    items: int
    workers: int

    @classmethod
    def open(cls, plan: Plan, models: Path | None) -> Site:
        """The built-in zoo, or the one in a folder."""
        folder = models or zoo.MODELS
        checkpoints = (Checkpoint.open(name, folder / name) for name in zoo.SOURCES[: plan.sources])
        with initialize_config_dir(str(CONF), version_base="1.3"):
            tasks = compose("train").tasks
        return cls(tuple(checkpoints), tuple(open_objectives(tasks)), tuple(task_folders(tasks)), plan.items, cores())

    @property
    def sources(self) -> tuple[Source, ...]:
        """The models as sources."""
        return tuple(checkpoint.source for checkpoint in self.checkpoints)

    @property
    def digest(self) -> str:
        """Of the models and of what is scored; the items' own are known once they are read."""
        asked = [[each.name, each.task, each.metric, each.floor] for each in self.objectives]
        return digest_of([[source.digest for source in self.sources], asked, self.items])

    @property
    def depth(self) -> int:
        """Layers of each."""
        return self.checkpoints[0].depth

    @contextmanager
    def bench(self) -> Iterator[Workbench]:
        """An evaluator with an empty store: all of a space's answers, item by item, are not worth their gigabytes."""
        machine = Machine(device="cpu", workers=self.workers, cache_bytes=512 << 20)
        with tempfile.TemporaryDirectory(prefix="hm3-benchmark-") as folder:
            bench = Workbench.open(
                self.checkpoints,
                self.objectives,
                include=self.include,
                store=Path(folder) / "evaluations.sqlite",
                machine=machine,
                items=Items(screen=self.items, test=1),
            )
            with bench:
                yield bench
