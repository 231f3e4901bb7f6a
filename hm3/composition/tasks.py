"""The objectives, where their tasks are described, and how their questions are put."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from hm3 import zoo
from hm3.checks import flag, number, path, whole
from hm3.command import resolved
from hm3.errors import ConfigurationError
from hm3.evaluation import Prompts
from hm3.objectives import Objective

_SECTION = {"include", "objectives", "apply_chat_template", "fewshot_as_multiturn", "system_instruction"}
_KEYS = {"task", "metric", "floor", "num_fewshot"}


def open_objectives(config: DictConfig) -> tuple[Objective, ...]:
    """The objectives, in the configuration's order.

    Raises:
        ConfigurationError: There is none, or one isn't described by task, metric, floor and num_fewshot.
    """
    return tuple(_objective(name, value) for name, value in _described(config).items())


def prompts_of(config: DictConfig) -> Prompts:
    """How questions are put.

    Raises:
        ConfigurationError: A setting is of the wrong kind, or two objectives want one task with other examples.
    """
    shots: dict[str, int] = {}
    for name, value in _described(config).items():
        if isinstance(value, dict) and value.get("num_fewshot") is not None:
            stated = whole(f"tasks.objectives.{name}.num_fewshot", value["num_fewshot"], 0)
            if shots.setdefault(str(value["task"]), stated) != stated:
                rule = f"as for every objective of the task {value['task']}"
                raise ConfigurationError(f"tasks.objectives.{name}.num_fewshot: {rule}, got {stated}")
    system = config.get("system_instruction")
    if system is not None and not isinstance(system, str):
        raise ConfigurationError(f"tasks.system_instruction: a text, got {system!r}")
    template = flag("tasks.apply_chat_template", config.get("apply_chat_template", False))
    multiturn = flag("tasks.fewshot_as_multiturn", config.get("fewshot_as_multiturn", True))
    return Prompts(shots, template, multiturn, system)


def task_folders(config: DictConfig) -> list[Path]:
    """The folders with task files; ``zoo:tasks`` is the built-in one.

    Raises:
        ConfigurationError: One is no folder.
    """
    include = resolved(config).get("include") or []
    if not isinstance(include, list):
        raise ConfigurationError(f"tasks.include: a list of folders, got {include!r}")
    return [_folder(str(text)) for text in include]


def _described(config: DictConfig) -> dict[str, Any]:
    """Objective -> task and metric, or the task alone, or ``depth``."""
    settings = resolved(config)
    described = settings.get("objectives") or {}
    if not set(settings) <= _SECTION:
        raise ConfigurationError(f"tasks: {', '.join(sorted(_SECTION))}, got {sorted(set(settings) - _SECTION)[0]!r}")
    if not isinstance(described, dict) or not described:
        rule = "at least one, +tasks.objectives.NAME=TASK"
        raise ConfigurationError(f"tasks.objectives: {rule}, got {described or 'none'}")
    return {str(name): {"task": v} if isinstance(v, str) and v != "depth" else v for name, v in described.items()}


def _objective(name: str, value: Any) -> Objective:
    if value == "depth":
        return Objective(name, "", "depth")
    if not isinstance(value, dict) or not {"task"} <= set(value) <= _KEYS or not value["task"]:
        keys = "task, metric, floor and num_fewshot"
        raise ConfigurationError(f"tasks.objectives.{name}: a task, or {keys}, or depth, got {value!r}")
    floor = number(f"tasks.objectives.{name}.floor", value.get("floor", 0.0), -math.inf)
    return Objective(name, str(value["task"]), str(value.get("metric") or ""), floor)


def _folder(text: str) -> Path:
    folder = zoo.TASKS if text == "zoo:tasks" else path("tasks.include", text)
    if not folder.is_dir():
        raise ConfigurationError(f"tasks.include: folders with task files, got {text!r}")
    return folder
