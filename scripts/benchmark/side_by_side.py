"""The parts of a benchmark, as many at once as there are cores, each kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from typing import Any, Protocol

from scripts.benchmark.report import Request
from scripts.benchmark.zoo import cores


class Task(Protocol):
    """A part of a benchmark that travels to a process of its own."""

    @property
    def name(self) -> str:
        """What the part of the result is called."""

    def result(self) -> dict[str, Any]:
        """Measure it: a JSON object with its ``seconds``."""


def side_by_side(tasks: Sequence[Task], request: Request) -> list[dict[str, Any]]:
    """The results in order; what an interrupted run has kept is not done again."""
    missing = [task for task in tasks if task.name not in request.kept.parts]
    if not missing:
        return [request.kept.parts[task.name] for task in tasks]
    with ProcessPoolExecutor(min(cores(), len(missing)), mp_context=get_context("spawn")) as pool:
        running = {pool.submit(task.result): task for task in missing}
        for future in as_completed(running):
            result, task = future.result(), running[future]
            request.kept(task.name, partial(dict, result))
            request.tell(f"{task.name}: {result['seconds']:.0f} s")
    return [request.kept.parts[task.name] for task in tasks]
