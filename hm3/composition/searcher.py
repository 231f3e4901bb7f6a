"""The agent that a configuration names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig

from hm3.composition.instances import instance
from hm3.errors import ConfigurationError


def agent_builder(config: DictConfig) -> Callable[..., Any]:
    """The agent's class with the settings that it has.

    Raises:
        ConfigurationError: A setting that its constructor does not take.
    """
    build: Callable[..., Any] = instance(config, "agent")
    try:
        inspect.signature(build)
    except (TypeError, ValueError) as error:
        target = config.get("_target_")
        raise ConfigurationError(f"agent: settings that {target} takes, got {', '.join(map(str, config))}") from error
    return build


def built(build: Callable[..., Any], offered: Mapping[str, Any]) -> Any:
    """An agent, given of `offered` what its constructor asks for."""
    taken = inspect.signature(build).parameters
    return build(**{name: value for name, value in offered.items() if name in taken})
