"""A folder's config.json, read and found harmless."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hm3.checkpoints.reading import RefusedError, read_json


def read_config(folder: Path) -> dict[str, Any]:
    """The config of the checkpoint in `folder`.

    Raises:
        RefusedError: No folder, no checkpoint, or one that brings code or quantised weights.
    """
    if not folder.is_dir():
        raise RefusedError(f"path: a folder, got {'a file' if folder.exists() else 'nothing there'}")
    if not (folder / "config.json").is_file():
        raise RefusedError("path: a checkpoint, got a folder without config.json")
    config = read_json(folder / "config.json")
    if not isinstance(config.get("model_type"), str):
        raise RefusedError(f"config.json: model_type as text, got {config.get('model_type')!r}")
    _check_passive(config, "config.json")
    if (folder / "tokenizer_config.json").is_file():
        _check_passive(read_json(folder / "tokenizer_config.json"), "tokenizer_config.json")
    return config


def layer_count(config: Mapping[str, Any], *, most: int) -> int:
    """The number of layers; `most` is what the weights allow.

    Raises:
        RefusedError: None stated, or an impossible one.
    """
    depth = config.get("num_hidden_layers", config.get("n_layer"))
    if type(depth) is not int or not 1 <= depth <= most:
        raise RefusedError(f"config.json: num_hidden_layers from 1 to the number of tensors, {most}, got {depth!r}")
    return depth


def _check_passive(value: Mapping[str, Any], name: str) -> None:
    if "auto_map" in value:
        raise RefusedError(f"{name}: no code of its own, got auto_map ({str(value['auto_map'])[:80]})")
    if "quantization_config" in value:
        raise RefusedError(f"{name}: weights that are not quantised, got quantization_config")
