"""The settings that made a run, as plain values: read from what Hydra kept, without Hydra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hm3.checks import path
from hm3.errors import ConfigurationError
from hm3.runs.folder import RunFolder

_KEPT = ".hydra"


def settings_of(run: RunFolder) -> dict[str, Any]:
    """Dotted name -> value; a search has those of its training run where it states none of its own.

    Interpolations stay as they are written. A folder in which Hydra kept nothing has no settings.

    Raises:
        ConfigurationError: What Hydra kept cannot be read.
    """
    return _flat(_composed(run.path, seen=()))


def _composed(folder: Path, seen: tuple[Path, ...]) -> Mapping[str, Any]:
    own = _mapping(folder / _KEPT / "config.yaml")
    if "run" not in own or folder in seen:
        return own
    trained = _began(folder) / path("run", own["run"])
    return _over(_composed(trained, (*seen, folder)), own)


def _began(folder: Path) -> Path:
    """What a command's relative paths are relative to."""
    place: Any = _mapping(folder / _KEPT / "hydra.yaml")
    for name in ("hydra", "runtime", "cwd"):
        place = place.get(name) if isinstance(place, dict) else None
    return path("run: hydra.runtime.cwd", place or ".")


def _mapping(file: Path) -> Mapping[str, Any]:
    """The content of a YAML file; nothing where there is no file."""
    if not file.is_file():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{file}: must be YAML, got {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: settings by name, got {str(content)[:60]!r}")
    return content


def _over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes over the base; what they leave at null is the base's."""
    merged = dict(base)
    for name, value in changes.items():
        if isinstance(value, dict):
            below = merged.get(name)
            merged[name] = _over(below if isinstance(below, dict) else {}, value)
        elif value is not None:
            merged[name] = value
    return merged


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
