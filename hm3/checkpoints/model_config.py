"""A folder's config.json, read and found harmless: no code, no absurd number, nothing that leads elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hm3.checkpoints.reading import RefusedError, read_json

IMPLEMENTATIONS = ("attn_implementation", "experts_implementation")
PLAIN = (None, "eager", "sdpa", "batched_mm", "grouped_mm")  # other implementations are fetched as code of the Hub
CODE = ("auto_map", "custom_pipelines", "custom_generate", "trust_remote_code")
WAY_OUT = "in a copy of the folder without that entry, transformers' own code runs it, if it knows the model_type"
LARGEST = 2**53  # beyond it JSON's numbers are no longer exact everywhere
COUNTS = {"max_position_embeddings": 2**31, "num_labels": 10**5}  # transformers writes a text for each label
SIZES = (
    "hidden_size", "n_embd", "intermediate_size", "n_inner", "vocab_size", "head_dim", "num_attention_heads", "n_head",
    "num_key_value_heads", "n_positions", "num_local_experts", "num_experts", "moe_intermediate_size",
    "shared_expert_intermediate_size",
)  # fmt: skip


def read_config(folder: Path) -> dict[str, Any]:
    """The config of the checkpoint in `folder`.

    Raises:
        RefusedError: No folder, no checkpoint, or one that brings code, quantised weights or impossible numbers.
    """
    if not folder.is_dir():
        raise RefusedError(f"path: a folder, got {'a file' if folder.exists() else 'nothing there'}")
    if not (folder / "config.json").is_file():
        raise RefusedError("path: a checkpoint, got a folder without config.json")
    config = read_json(folder / "config.json")
    if not isinstance(config.get("model_type"), str):
        raise RefusedError(f"config.json: model_type as text, got {config.get('model_type')!r}")
    _check_passive(config, "config.json")
    if "quantization_config" in config:
        raise RefusedError("config.json: weights that are not quantised, got quantization_config")
    if "per_layer_config" in config:
        raise RefusedError("config.json: one shape for all layers, got per_layer_config")
    _check_numbers(config)
    for file in sorted(folder.glob("*config.json")):
        if file.name != "config.json" and file.is_file():
            _check_passive(read_json(file), file.name)
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


def check_sizes(config: Mapping[str, Any], *, most: int) -> None:
    """See that no size is larger than the weights, before anything is built from it.

    Args:
        config: The config.
        most: The number of elements of the largest tensor.

    Raises:
        RefusedError: A size that is no whole number from 1 to `most`, or heads that don't divide.
    """
    for field in SIZES:
        size = config.get(field)
        if size is not None and (type(size) is not int or not 1 <= size <= most):
            raise RefusedError(f"config.json: {field} from 1 to the size of the largest tensor, {most}, got {size!r}")
    for field, limit in COUNTS.items():
        count = config.get(field)
        if count is not None and (type(count) is not int or not 1 <= count <= limit):
            raise RefusedError(f"config.json: {field} from 1 to {limit}, got {count!r}")
    heads, shared = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if heads and shared and heads % shared:
        raise RefusedError(
            f"config.json: num_attention_heads as a multiple of num_key_value_heads, {shared}, got {heads}"
        )


def _check_passive(config: Mapping[str, Any], name: str) -> None:
    """Refuse what makes transformers run code that comes with the checkpoint, or fetch some."""
    for key, value in _entries(config):
        if key in CODE and value:
            raise RefusedError(f"{name}: no code of its own, got {key} ({str(value)[:80]}); {WAY_OUT}")
        if key.strip("_").removesuffix("_internal") in IMPLEMENTATIONS and value not in PLAIN:
            raise RefusedError(
                f"{name}: {key} eager or sdpa, got {str(value)[:80]!r}, which can be code from elsewhere"
            )


def _check_numbers(config: Mapping[str, Any]) -> None:
    for key, value in _entries(config):
        if isinstance(value, int | float) and not abs(value) <= LARGEST:
            raise RefusedError(f"config.json: {key} as a number of at most {LARGEST}, got {str(value)[:80]}")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every value within a JSON object with the key that it stands under, however deep."""
    waiting = [("", value)]
    while waiting:
        key, each = waiting.pop()
        yield key, each
        if isinstance(each, dict):
            waiting.extend(each.items())
        elif isinstance(each, list):
            waiting.extend((key, inner) for inner in each)
