"""The given models."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hm3 import zoo
from hm3.checkpoints import Checkpoint, check_compatible
from hm3.checks import number
from hm3.composition.sections import section
from hm3.errors import ConfigurationError
from hm3.layers import family_of
from hm3.parameter import Expert

_log = logging.getLogger(__name__)
_ZOO = "zoo:"
_KEYS = ("path", "objectives", "weight")


@dataclass(frozen=True)
class Sources:
    """The given models, opened.

    Attributes:
        base: What merges take differences to; the first source.
        experts: The fine-tuned models and what they are for.
        checkpoints: All of them by name, the base first.
    """

    base: Checkpoint
    experts: tuple[Expert, ...]
    checkpoints: Mapping[str, Checkpoint]


def open_sources(config: DictConfig) -> Sources:
    """Open the base and the experts and see that their layers fit together.

    Raises:
        CheckpointError: A source cannot be used, or differs from the base where it must not.
        ConfigurationError: There is no expert, or an expert is described by something else than path and objectives.
    """
    described = {"base": {"path": config.base}, **_described(config)}
    checkpoints = {name: Checkpoint.open(name, source_folder(name, each["path"])) for name, each in described.items()}
    for name, checkpoint in checkpoints.items():
        family_of(name, checkpoint.config)
    for warning in check_compatible(list(checkpoints.values()), config.get("on_mismatch", "refuse")):
        _log.warning("%s", warning)
    experts = tuple(_expert(checkpoints[name], each) for name, each in described.items() if name != "base")
    return Sources(checkpoints["base"], experts, checkpoints)


def source_folder(name: str, text: object) -> Path:
    """A source's folder; ``zoo:math`` is one of the built-in models.

    Raises:
        ConfigurationError: It is no path, or the zoo has no such model.
    """
    if not isinstance(text, str) or not text:
        raise ConfigurationError(f"source {name}: a folder or zoo:NAME, got {text!r}")
    if not text.startswith(_ZOO):
        return Path(text).expanduser()
    if text.removeprefix(_ZOO) not in zoo.SOURCES:
        raise ConfigurationError(f"source {name}: the zoo has {', '.join(zoo.SOURCES)}, got {text!r}")
    return zoo.source_path(text.removeprefix(_ZOO))


def _described(config: DictConfig) -> dict[str, dict[str, Any]]:
    """Expert -> its settings."""
    experts = section(config, "experts") if config.experts else {}
    described = {str(name): _settings(str(name), value) for name, value in experts.items()}
    if not described:
        raise ConfigurationError("sources.experts: at least one, sources.experts.NAME=PATH, got none")
    if "base" in described:
        raise ConfigurationError("sources.experts: names other than base, got base")
    return described


def _settings(name: str, value: Any) -> dict[str, Any]:
    """An expert's settings; a plain path is one that is for no objective."""
    if isinstance(value, str):
        return {"path": value}
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    if not isinstance(plain, dict) or "path" not in plain or not set(plain) <= set(_KEYS):
        raise ConfigurationError(f"sources.experts.{name}: a path, or {', '.join(_KEYS)}, got {plain!r}")
    return {str(key): setting for key, setting in plain.items()}


def _expert(checkpoint: Checkpoint, settings: Mapping[str, Any]) -> Expert:
    where, objectives = f"sources.experts.{checkpoint.name}", settings.get("objectives") or []
    if not isinstance(objectives, list) or not all(isinstance(name, str) for name in objectives):
        raise ConfigurationError(f"{where}.objectives: a list of names, got {objectives!r}")
    weight = number(f"{where}.weight", settings.get("weight", 0.0), 0, math.inf)
    return Expert(checkpoint.source, tuple(objectives), weight)
