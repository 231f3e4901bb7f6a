"""The sections of a configuration."""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.errors import ConfigurationError


def section(config: DictConfig, name: str) -> DictConfig:
    """The settings under a name.

    Raises:
        ConfigurationError: There is one value in their place.
    """
    found = config[name]
    if not isinstance(found, DictConfig):
        raise ConfigurationError(f"{name}: settings by name, {name}.KEY=VALUE, got {found!r}")
    return found
