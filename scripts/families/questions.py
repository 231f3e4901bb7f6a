"""What the proven stacks are asked: a few real requests of the zoo's tasks."""

from __future__ import annotations

from typing import Any

from hm3 import zoo
from hm3.evaluation import Parts, load_tasks, split

TASKS = ("hm3_math", "hm3_code", "hm3_translation")
ITEMS = 4  # of each task


def instances() -> list[Any]:
    """lm-eval's log-likelihood requests."""
    tasks = load_tasks(list(TASKS), [zoo.TASKS])
    splits = {name: split(name, task, None, 1) for name, task in tasks.items()}
    parts = Parts.build(tasks, splits, ITEMS)
    return [instance for items in parts.screen.items for instance in items.row_instances]
