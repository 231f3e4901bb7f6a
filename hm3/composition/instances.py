"""What a section names by ``_target_``, made."""

from __future__ import annotations

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from hm3.errors import ConfigurationError, HM3Error


def instance(described: DictConfig, name: str) -> Any:
    """The object, or with ``_partial_`` its maker, that a section describes; `name` is the section's.

    Raises:
        ConfigurationError: The section names none, or states settings that it does not take.
    """
    target = described.get("_target_")
    if not isinstance(target, str):
        raise ConfigurationError(f"{name}: a class, {name}._target_=MODULE.CLASS, got {target!r}")
    try:
        return instantiate(described, _convert_="all")
    except InstantiationException as error:
        reason = error.__cause__
        if isinstance(reason, HM3Error):
            raise reason from error
        raise ConfigurationError(f"{name}: settings that {target} takes, got {reason or error}") from error
