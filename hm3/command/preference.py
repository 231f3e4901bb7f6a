"""The user's preference, as the command line states it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from hm3.errors import ConfigurationError

_KEY = "preference.weights"


def preference_weights(config: DictConfig, overrides: Sequence[str]) -> dict[str, float] | None:
    """Objective -> weight as the user meant it; None for equal weights.

    Weights that are given as a whole (``'+preference.weights={math:0.6,code:0.4}'``) replace those of a preference
    file, where Hydra by itself would merge the two and keep the file's other objectives. A single one
    (``preference.weights.math=0.9``) changes that one, as everywhere in Hydra.

    Args:
        config: The composed configuration, with a node ``preference``.
        overrides: What Hydra was given: ``HydraConfig.get().overrides.task``.

    Raises:
        ConfigurationError: The weights are no mapping.
    """
    weights = _composed(config)
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.key_or_group == _KEY and not override.is_delete():
            weights = override.value()
        elif override.key_or_group.startswith(f"{_KEY}.") and isinstance(weights, Mapping):
            weights = _changed(weights, override)
    if weights is not None and not isinstance(weights, Mapping):
        example = "'+preference.weights={math:0.6,code:0.4}'"
        raise ConfigurationError(f"{_KEY}: objectives with weights, in quotes, {example}, got {weights!r}")
    return None if weights is None else {str(name): weight for name, weight in weights.items()}


def _composed(config: DictConfig) -> Any:
    weights = OmegaConf.select(config, _KEY)
    return OmegaConf.to_container(weights, resolve=True) if OmegaConf.is_config(weights) else weights


def _changed(weights: Mapping[str, Any], override: Override) -> dict[str, Any]:
    name = override.key_or_group.removeprefix(f"{_KEY}.")
    rest = {key: weight for key, weight in weights.items() if key != name}
    return rest if override.is_delete() else {**rest, name: override.value()}
