"""The rival: mergekit writes the stack to disk, lm-eval loads and scores it. What people do today."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hm3.checkpoints import Checkpoint
from hm3.recipe import Recipe
from scripts.benchmark.passthrough import merge_to_disk

DECISION = "exact_match"  # the zoo's greedy decision


@dataclass(frozen=True)
class Answers:
    """What one model scored.

    Attributes:
        scores: ``task/metric`` -> score.
        decisions: Task -> the greedy decision on each item.
        seconds: What merging, loading and scoring took.
    """

    scores: Mapping[str, float]
    decisions: Mapping[str, Sequence[float]]
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The answers as a JSON value."""
        return asdict(self)


@dataclass(frozen=True)
class Setting:
    """How the rival is run.

    Attributes:
        batch_size: Requests at once.
        threads: Torch's threads.
    """

    batch_size: int
    threads: int

    def __str__(self) -> str:
        return f"{self.batch_size} requests, {self.threads} threads"


@dataclass
class Rival:
    """Scores stacks the usual way.

    Attributes:
        checkpoints: The sources.
        samples: Task -> numbers of the items on the search split.
        include: Folders that describe the tasks.
        folder: Where models are written.
    """

    checkpoints: Mapping[str, Checkpoint]
    samples: Mapping[str, Sequence[int]]
    include: Sequence[Path]
    folder: Path
    _made: dict[str, Any] = field(default_factory=dict)

    def simple(self, recipe: Recipe, setting: Setting) -> Answers:
        """``lm_eval.simple_evaluate`` with the tasks by name; only its list of tasks is made once."""
        from lm_eval import simple_evaluate

        def scored(model: Path) -> Any:
            return simple_evaluate(
                model="hf",
                model_args={"pretrained": str(model), "dtype": "float32"},
                tasks=list(self.samples),
                samples=dict(self.samples),
                batch_size=setting.batch_size,
                device="cpu",
                task_manager=self._manager,
            )

        return self._timed(recipe, scored, setting)

    def tuned(self, recipe: Recipe, setting: Setting) -> Answers:
        """``lm_eval.evaluate`` with task objects that are built once."""
        from lm_eval import evaluate
        from lm_eval.models.huggingface import HFLM

        def scored(model: Path) -> Any:
            loaded = HFLM(pretrained=str(model), dtype="float32", batch_size=setting.batch_size, device="cpu")
            return evaluate(
                lm=loaded, task_dict={"tasks": self._tasks, "groups": {}}, samples=dict(self.samples), bootstrap_iters=0
            )

        return self._timed(recipe, scored, setting)

    @property
    def _manager(self) -> Any:
        return self._once("manager", self._make_manager)

    @property
    def _tasks(self) -> dict[str, Any]:
        tasks: dict[str, Any] = self._once("tasks", lambda: self._manager.load(list(self.samples))["tasks"])
        return tasks

    def _make_manager(self) -> Any:
        from lm_eval.tasks import TaskManager

        descriptions = self.folder / "tasks"
        descriptions.mkdir(parents=True)
        for name in self.samples:
            (descriptions / f"{name}.yaml").write_text(_on_the_search_split(name, self.include), encoding="utf-8")
        return TaskManager(include_path=[str(descriptions)])

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _timed(self, recipe: Recipe, score: Callable[[Path], Any], setting: Setting) -> Answers:
        with _threads(setting.threads), _quiet():
            began = time.perf_counter()
            results = score(merge_to_disk(recipe, self.checkpoints, self.folder / "model"))
            return _answers(results, time.perf_counter() - began)


def _on_the_search_split(name: str, include: Sequence[Path]) -> str:
    """A task file that lets lm-eval score the items that a search sees."""
    (file,) = (folder / f"{name}.yaml" for folder in include if (folder / f"{name}.yaml").is_file())
    return f"include: {file}\ntask: {name}\ntest_split: search\nvalidation_split: null\n"


def _answers(results: Any, seconds: float) -> Answers:
    scores = {
        f"{task}/{metric.removesuffix(',none')}": float(value)
        for task, metrics in results["results"].items()
        for metric, value in metrics.items()
        if metric.endswith(",none") and "_stderr" not in metric
    }
    decisions = {
        task: [sample[DECISION] for sample in sorted(samples, key=lambda sample: sample["doc_id"])]
        for task, samples in results["samples"].items()
    }
    return Answers(scores, decisions, seconds)


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without progress bars and log lines, of which lm-eval has many."""
    import logging

    logging.disable(logging.WARNING)
    silent = partial(contextlib.redirect_stderr, io.StringIO())
    try:
        with silent(), open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):  # noqa: PTH123
            yield
    finally:
        logging.disable(logging.NOTSET)
