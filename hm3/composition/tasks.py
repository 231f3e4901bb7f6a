"""The objectives and where their tasks are described."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from hm3 import zoo
from hm3.checks import number
from hm3.command import resolved
from hm3.errors import ConfigurationError
from hm3.objectives import Objective

_KEYS = {"task", "metric", "floor"}


def open_objectives(config: DictConfig) -> tuple[Objective, ...]:
    """The objectives, in the configuration's order.

    Raises:
        ConfigurationError: There is none, or one isn't described by task, metric and floor.
    """
    described = resolved(config).get("objectives") or {}
    if not isinstance(described, dict) or not described:
        raise ConfigurationError(f"tasks.objectives: at least one, by name, got {described or 'none'}")
    return tuple(_objective(str(name), value) for name, value in described.items())


def task_folders(config: DictConfig) -> list[Path]:
    """The folders with task files; ``zoo:tasks`` is the built-in one.

    Raises:
        ConfigurationError: One is no folder.
    """
    include = resolved(config).get("include") or []
    if not isinstance(include, list):
        raise ConfigurationError(f"tasks.include: a list of folders, got {include!r}")
    return [_folder(str(text)) for text in include]


def _objective(name: str, value: Any) -> Objective:
    if value == "depth":
        return Objective(name, "", "depth")
    if not isinstance(value, dict) or not {"task", "metric"} <= set(value) <= _KEYS:
        raise ConfigurationError(f"tasks.objectives.{name}: task, metric and floor, or depth, got {value!r}")
    floor = number(f"tasks.objectives.{name}.floor", value.get("floor", 0.0), -math.inf)
    return Objective(name, str(value["task"]), str(value["metric"]), floor)


def _folder(text: str) -> Path:
    folder = zoo.TASKS if text == "zoo:tasks" else Path(text).expanduser()
    if not folder.is_dir():
        raise ConfigurationError(f"tasks.include: folders with task files, got {text!r}")
    return folder
