"""How a task judges answers, as a value: equal rules have equal values in every process."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def rules_of(task: Any) -> Any:
    """An lm-eval task's metrics, filters and version as a JSON value."""
    config = task.config
    return _stable([config.metric_list, config.filter_list, config.process_results, task.VERSION])


def _stable(value: Any) -> Any:
    """A setting as a JSON value that is the same in every process; a function is its file's text."""
    if isinstance(value, Mapping):
        return [[str(key), _stable(part)] for key, part in sorted(value.items())]
    if isinstance(value, list | tuple):
        return [_stable(part) for part in value]
    if not callable(value):
        return repr(value)
    try:
        source = Path(inspect.getsourcefile(value) or "")
        return [getattr(value, "__qualname__", ""), source.read_text(encoding="utf-8")]
    except (OSError, TypeError):
        return getattr(value, "__qualname__", type(value).__qualname__)
