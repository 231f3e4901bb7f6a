"""The trials of a sweep, and what the command looks at before it scores anything."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from hm3.command import preference_weights
from hm3.composition import Offline, Online, sampler_of
from hm3.composition.parts import Parts, check
from hm3.composition.searcher import agent_builder, built
from hm3.objectives import Normaliser

CONF = Path(__file__).parents[1] / "conf"
SWEEPS = {path.stem: path for path in sorted((CONF / "sweeps").glob("*.yaml"))}


def read(path: Path) -> dict[str, Any]:
    """A sweep file."""
    return yaml.safe_load(path.read_text())


def choices(parameter: Mapping[str, Any]) -> list[Any]:
    """What a parameter may be: all of its values, or both ends of its distribution and the middle."""
    if "values" in parameter:
        return parameter["values"]
    low, high = parameter["min"], parameter["max"]
    if parameter["distribution"] == "log_uniform_values":
        return [low, (low * high) ** 0.5, high]
    return [low, (low + high) // 2 if parameter["distribution"] == "int_uniform" else (low + high) / 2, high]


def trials(sweep: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name -> value, so that every choice is seen; of a grid every combination, but no more seeds than there are."""
    options = {name: choices(parameter) for name, parameter in sweep["parameters"].items()}
    if sweep["method"] == "grid":
        swept = [name for name in options if name != "seed"]
        rows = list(itertools.product(*(options[name] for name in swept)))
        seeds = {name: options[name] for name in options if name == "seed"}
        options = {name: [row[i] for row in rows] for i, name in enumerate(swept)} | seeds
    most = max(map(len, options.values()))
    return [{name: values[i % len(values)] for name, values in options.items()} for i in range(most)]


def overrides(command: Sequence[str]) -> list[str]:
    """The settings in a command that starts as ours do."""
    assert command[:4] == ["/usr/bin/env", "python", "-m", "hm3.train"]
    return list(command[4:])


def accept(settings: Sequence[str]) -> DictConfig:
    """Everything that the command looks at before it scores anything."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", list(settings))
    check(config)
    Online.of(config)
    parts = Parts.of(config, preference_weights(config, settings))
    names = parts.preference.names
    offered = {
        "space": parts.space,
        "normaliser": Normaliser(names, (0.0,) * len(names), (1.0,) * len(names)),
        "utility": parts.utility,
        "sampler": sampler_of(config.offline, parts.preference),
        "seed": config.seed,
        "rollouts": Offline.of(config).rollouts,
    }
    built(agent_builder(config.agent), offered)
    return config
