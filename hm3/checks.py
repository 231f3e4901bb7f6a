"""What a setting must be. Whatever is not becomes one line that names the setting, the rule and what came."""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hm3.errors import ConfigurationError, OutputError


def whole(name: str, value: object, low: int, high: int | None = None) -> int:
    """The value, which must be an integer from `low` to `high`.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
        raise ConfigurationError(f"{name}: an integer {_range(low, high)}, got {value!r}")
    return value


def whole_or_none(name: str, value: object, low: int) -> int | None:
    """The value, which must be an integer of at least `low`, or None.

    Raises:
        ConfigurationError: It is not.
    """
    return None if value is None else whole(name, value, low)


def number(name: str, value: object, low: float, high: float = math.inf, *, above: bool = False) -> float:
    """The value, which must be a finite number from `low` to `high`; `above` leaves `low` itself out.

    Raises:
        ConfigurationError: It is not.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    if not fits or not low <= value <= min(high, sys.float_info.max) or (above and value == low):  # type: ignore[operator]
        rule = f"above {low:g}" + (f" and at most {high:g}" if math.isfinite(high) else "") if above else None
        raise ConfigurationError(f"{name}: a finite number {rule or _range(low, high)}, got {value!r}")
    return float(value)  # type: ignore[arg-type]


def listing(name: str, value: object) -> list[Any]:
    """The value, which must be a list.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigurationError(f"{name}: a list, got {value!r}")
    return list(value)


def by_name(name: str, value: object) -> dict[str, Any]:
    """The value, which must be settings by name.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name}: settings by name, got {value!r}")
    return {str(key): each for key, each in value.items()}


def flag(name: str, value: object) -> bool:
    """The value, which must be true or false.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name}: true or false, got {value!r}")
    return value


def path(name: str, value: object) -> Path:
    """The path that a text names, with ``~`` for the home; whether anything is there is another question.

    Raises:
        ConfigurationError: No file could have it: it is no text, or too long, or nobody's home.
    """
    try:
        text = str(value) if isinstance(value, str | Path | int | float) else ""
        if not text or "\0" in text:
            raise ValueError("no name of a file")
        found = Path(text).expanduser()
        found.exists()
        return found
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"{name}: a path, got {str(value)[:80]!r} ({reason})") from error


def writable_folder(name: str, path: Path) -> Path:
    """The folder, made if need be, in which files can be made.

    Raises:
        OutputError: They cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise OutputError(f"{name}: a folder that can be written, got {path} ({error.strerror or error})") from error


def _range(low: float, high: float | None) -> str:
    if high is None or not math.isfinite(high):
        return "of any size" if math.isinf(low) else f"of at least {low:g}"
    return f"from {low:g} to {high:g}"
