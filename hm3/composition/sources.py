"""The given models."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.checks import number
from hm3.composition.source_paths import open_source
from hm3.errors import ConfigurationError
from hm3.layers import family_of
from hm3.parameter import Expert
from hm3.recipe import Source

_log = logging.getLogger(__name__)
_SECTION = {"base", "experts", "on_mismatch"}
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


def open_sources(config: DictConfig, merges: Path, objectives: Sequence[str]) -> Sources:
    """Open the base and the experts and see that their layers fit together.

    Args:
        config: The section ``sources``.
        merges: The folder in which merged adapters are kept.
        objectives: The run's: an expert that doesn't say what it is for is for the one of its own name.

    Raises:
        CheckpointError: A source cannot be used, or differs from the base where it must not.
        ConfigurationError: There is no expert, or an expert is described by something else than path and objectives.
    """
    checkpoints = open_checkpoints(config, merges)
    for checkpoint in checkpoints.values():
        check_loading(checkpoint)
    for warning in check_compatible(list(checkpoints.values()), config.get("on_mismatch", "refuse")):
        _log.warning("%s", warning)
    experts = tuple(_expert(checkpoints[name].source, each, objectives) for name, each in _described(config).items())
    return Sources(checkpoints["base"], experts, checkpoints)


def open_checkpoints(config: DictConfig, merges: Path, names: Collection[str] | None = None) -> dict[str, Checkpoint]:
    """The sources of these names, None for all; before any the base, on which adapters may lie.

    Other arguments, and errors, as for `open_sources`.
    """
    if names is not None and not names:
        return {}
    base = open_source("base", config.base, merges)
    wanted = ((name, each["path"]) for name, each in _described(config).items() if names is None or name in names)
    experts = {name: open_source(name, text, merges, base) for name, text in wanted}
    checkpoints = {"base": base, **experts}
    for name, checkpoint in checkpoints.items():
        family_of(name, checkpoint.config)
    return checkpoints


def stated_expert(config: DictConfig, source: Source, objectives: Sequence[str]) -> Expert:
    """What the section ``sources`` says an expert is for; the expert itself need not be there.

    Raises:
        ConfigurationError: It says nothing of this one.
    """
    return _expert(source, _settings(source.name, (config.experts or {}).get(source.name)), objectives)


def _described(config: DictConfig) -> dict[str, dict[str, Any]]:
    """Expert -> its settings."""
    experts = config.experts or {}
    if not isinstance(experts, DictConfig | dict) or not set(config) <= _SECTION:
        wrong = [str(key) for key in config if key not in _SECTION] or experts
        raise ConfigurationError(f"sources: a base and experts by name (+sources.experts.NAME=PATH), got {wrong!r}")
    described = {str(name): _settings(str(name), value) for name, value in experts.items()}
    if not described:
        raise ConfigurationError("sources.experts: at least one, +sources.experts.NAME=PATH, got none")
    if "base" in described:
        raise ConfigurationError("sources.experts: names other than base, got base")
    return described


def _settings(name: str, value: Any) -> dict[str, Any]:
    """An expert's settings; a plain path says where it is."""
    if isinstance(value, str):
        return {"path": value}
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    if not isinstance(plain, dict) or "path" not in plain or not set(plain) <= set(_KEYS):
        raise ConfigurationError(f"sources.experts.{name}: a path, or {', '.join(_KEYS)}, got {plain!r}")
    return {str(key): setting for key, setting in plain.items()}


def _expert(source: Source, settings: Mapping[str, Any], known: Sequence[str]) -> Expert:
    name = source.name
    where, objectives = f"sources.experts.{name}", settings.get("objectives")
    if objectives is None:
        objectives = [name] if name in known else []
    if not isinstance(objectives, list) or not all(isinstance(each, str) for each in objectives):
        raise ConfigurationError(f"{where}.objectives: a list of names, got {objectives!r}")
    weight = number(f"{where}.weight", settings.get("weight", 0.0), 0, math.inf)
    if not objectives and not {"objectives", "weight"} & set(settings):
        example = f"'+sources.experts.{name}={{path:...,objectives:[{', '.join(known)}]}}'"
        _log.warning("%s: for no objective, so no merge has a share of it; to say which: %s", where, example)
    return Expert(source, tuple(objectives), weight)
