"""What a config.json means to transformers: defaults filled in, old spellings put into the present one.

So a field that one source states and another leaves to its default are equal, and so are `rope_theta` of transformers 4
and `rope_parameters` of version 5. Nothing of the checkpoint is executed: the config class is transformers' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.fields import ENDS, LENGTHS, NEUTRAL, PER_LAYER, UNSTATED
from hm3.checkpoints.settings import settings_of
from hm3.errors import CheckpointError

ROPE = "rope_parameters"


def full_config(checkpoint: Checkpoint) -> Any:
    """The source's config as transformers' own class; shared, so not to be changed.

    Raises:
        CheckpointError: transformers has none of that name, or refuses a value.
    """
    try:
        return settings_of(checkpoint.config)
    except CheckpointError as error:
        raise CheckpointError(f"source {checkpoint.name} ({checkpoint.path}): {error}") from error


def meaning(checkpoint: Checkpoint) -> dict[str, Any]:
    """Every field that a layer of another source must share or take over, by name; rotary settings one by one.

    Raises:
        CheckpointError: As `full_config`.
    """
    config = full_config(checkpoint).to_dict()  # a copy
    rope = config.pop(ROPE, None) or {}
    known = {key: value for key, value in config.items() if key in _read_by(checkpoint.model_type)}
    for key in (*LENGTHS, *_idle(known)) if _is_plain(rope) else _idle(known):
        known.pop(key, None)
    return known | _flat(rope)


@cache
def _read_by(model_type: str) -> frozenset[str]:
    """The fields that a family's stock model reads."""
    from transformers import AutoConfig, PreTrainedConfig

    listed = set(AutoConfig.for_model(model_type).to_dict()) - set(PreTrainedConfig().to_dict())
    return frozenset(({"model_type", *listed, *UNSTATED}) - {*PER_LAYER, *ENDS, *NEUTRAL})


def _idle(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Qwen states windows of many sizes that are switched off."""
    return ("sliding_window",) if config.get("use_sliding_window") is False else ()


def _is_plain(rope: Mapping[str, Any]) -> bool:
    """Whether no rotary frequency depends on the length that was trained on."""
    kinds: list[Mapping[str, Any]] = [each for each in rope.values() if isinstance(each, dict)] or [rope]
    return all(kind.get("rope_type", "default") in ("default", "linear") for kind in kinds)


def _flat(rope: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Rotary settings by name; Gemma has one set for each kind of attention."""
    flat: dict[str, Any] = {}
    for key, value in rope.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif key != "type":  # of transformers 4, now rope_type
            flat[prefix + key] = value
    return flat
