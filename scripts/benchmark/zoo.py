"""The main job's sources, space and tasks on the built-in zoo, for fresh evaluators."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from transformers import AutoTokenizer

from envs.space import StackSpace
from hm3.checkpoints import Checkpoint
from hm3.composition import parts as composition
from hm3.composition.tasks import task_folders
from hm3.evaluation import Parts, load_tasks, split
from hm3.evaluation.rows import Row
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.parameter import MergeCache
from hm3.workbench import Workbench

CONF = Path(__file__).resolve().parents[2] / "conf"
ITEMS = 64  # of each task on the screen


@dataclass(frozen=True)
class Zoo:
    """What the main job works on by default, its merged sources included.

    Attributes:
        checkpoints: Source name -> checkpoint, the base first.
        objectives: What is scored.
        space: The stacks that may be written.
        tasks: Folders with task files.
    """

    checkpoints: Mapping[str, Checkpoint]
    objectives: Sequence[Objective]
    space: StackSpace
    tasks: Sequence[Path]

    @classmethod
    def open(cls, *, merged: bool = True) -> Zoo:
        """As ``python -m hm3.train`` opens it; merged sources are built if they are not kept, or left out."""
        config = _config([] if merged else ["parameter=none"])
        parts = composition.Parts.of(config, None)
        merges = MergeCache(Path(str(config.merges)).expanduser())
        given = parts.sources.checkpoints
        made = {source.name: merges.open(source, given) for source in parts.merged}
        return cls({**given, **made}, parts.objectives, parts.space, task_folders(config.tasks))

    @property
    def free(self) -> StackSpace:
        """The space without an order of layers."""
        return replace(self.space, rules=replace(self.space.rules, reach=None))

    def screen_items(self) -> dict[str, list[int]]:
        """Task -> numbers of the screen's items on the search split."""
        return {items.name: list(items.ids) for items in self._parts().screen.items}

    def screen_rows(self) -> list[Row]:
        """The screen's items as token rows."""
        base = next(iter(self.checkpoints.values()))
        tokenizer = AutoTokenizer.from_pretrained(base.path)
        return self._parts().rows(tokenizer, base.config["max_position_embeddings"])[0]

    def _parts(self) -> Parts:
        names = list(dict.fromkeys(objective.task for objective in self.objectives if objective.task))
        tasks = load_tasks(names, self.tasks)
        splits = {name: split(name, task, None, 1) for name, task in tasks.items()}
        return Parts.build(tasks, splits, ITEMS)

    @contextmanager
    def bench(self, dtype: str = "float32", *, cache_mb: int = 256) -> Iterator[Workbench]:
        """A new evaluator with an empty store and empty caches, warmed up on items that are not on the screen."""
        machine = Machine(device="cpu", dtype=dtype, workers=cores(), cache_bytes=cache_mb << 20)
        with tempfile.TemporaryDirectory(prefix="hm3-benchmark-") as folder:
            bench = Workbench.open(
                list(self.checkpoints.values()),
                self.objectives,
                include=self.tasks,
                store=Path(folder) / "evaluations.sqlite",
                machine=machine,
                items=Items(screen=ITEMS, test=8),
            )
            with bench:
                bench.test(self.space.pool.identities())  # every source's weights are resident from now on
                yield bench


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _config(overrides: list[str]) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides)
