"""What Hydra alone knows of a call: the words on the command line."""

from __future__ import annotations

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from hm3.command import preference_weights


def stated_weights(config: DictConfig) -> dict[str, float] | None:
    """The preference on the command line, or None."""
    return preference_weights(config, HydraConfig.get().overrides.task)


def chosen(group: str) -> str | None:
    """The file of a group of ``conf/`` that the command line names, or None."""
    choice: str | None = HydraConfig.get().runtime.choices.get(group)
    return choice


def stated_text(config: DictConfig, key: str) -> str | None:
    """A setting letter by letter: a digest such as 01234567 or 12e4 is no number."""
    stated = [text.partition("=")[2] for text in HydraConfig.get().overrides.task if text.startswith(f"{key}=")]
    if config[key] is None:
        return None
    return stated[-1].strip("'\"") if stated else str(config[key])
