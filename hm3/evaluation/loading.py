"""lm-eval tasks by name."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hm3.errors import TaskError
from hm3.evaluation.code_tasks import load_vetted
from hm3.evaluation.templates import keep_compiled_templates

MEMBERS = 6  # of a group that a message names
logging.getLogger("lm_eval").setLevel(logging.ERROR)  # it warns at every custom data set


def load_tasks(names: Sequence[str], include: Sequence[Path], *, allow_code_execution: bool = False) -> dict[str, Any]:
    """lm-eval tasks by name. Its own thousands are only listed where a name isn't found in `include`.

    Args:
        names: Task names.
        include: Folders with task YAML files.
        allow_code_execution: Whether code that a model wrote may run, in the sandbox.

    Raises:
        TaskError: There is no such task, it is a group, it cannot be read, or it runs code and may not.
        ConfigurationError: Code may run, but this machine has no sandbox.
    """
    keep_compiled_templates()
    manager = _manager(include, include_defaults=False)
    if not set(names) <= set(manager.all_subtasks):
        manager = _manager(include, include_defaults=True)
    for name in names:
        if name not in manager.all_subtasks:
            raise TaskError(_no_task(manager, name, include))
    return load_vetted(manager, names, _load, allow_code_execution)


def _manager(include: Sequence[Path], *, include_defaults: bool) -> Any:
    """lm-eval's list of tasks."""
    from lm_eval.tasks import TaskManager

    try:
        return TaskManager(include_path=[str(path) for path in include], include_defaults=include_defaults)
    except Exception as error:  # it stumbles over files in many ways, without their names
        places = ", ".join(map(str, include))
        raise TaskError(f"tasks.include: task files that lm-eval can list, got {error!r} in {places}") from error


def _no_task(manager: Any, name: str, include: Sequence[Path]) -> str:
    entry = manager.task_index.get(name)
    if entry is None:
        places = ", ".join(map(str, include)) or "no folder of yours"
        return f"task: an lm-eval task, from {places} or lm-eval's own, got {name!r}"
    members = [each if isinstance(each, str) else "..." for each in (entry.cfg or {}).get("task") or sorted(entry.tags)]
    shown = ", ".join(members[:MEMBERS] + ["..."] * (len(members) > MEMBERS))
    return f"task: a single one for each objective, got {name!r}, which stands for {shown}"


def _load(manager: Any, name: str) -> Any:
    from datasets.exceptions import DatasetNotFoundError

    try:
        task = manager.load([name])["tasks"][name]
    except (ConnectionError, DatasetNotFoundError) as error:
        reason = str(error).splitlines()[0]
        raise TaskError(f"task {name}: data that is here or can be fetched, got {reason}") from error
    except Exception as error:  # a task is somebody's code and data: whatever it raises, the user needs its name
        raise TaskError(f"task {name}: must load, got {type(error).__name__}: {error}") from error
    if getattr(task, "MULTIMODAL", False):
        raise TaskError(f"task {name}: text only, got one with images or sound")
    return task
