"""The lists of a config that have an entry for each layer, rebuilt from the layers' own sources.

A list that a source leaves to transformers, to be derived from a pattern, is written out as well: in a stack no pattern
holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hm3.checkpoints import SourceModel
from hm3.checkpoints.settings import settings_of
from hm3.errors import CheckpointError
from hm3.layers.forward import SLIDING
from hm3.layers.kinds import has_experts

PATTERNS = (
    "sliding_window_pattern",
    "_sliding_window_pattern",
    "max_window_layers",
    "no_rope_layer_interval",
)
"""Keys that derive a list where it is missing; in a stack it never is."""

_OTHER = ("architectures", "mlp_only_layers")  # as long as a model is deep by accident only
_TOKENS = ("_token_id", "_token_ids", "_tokens")

Layers = Sequence[tuple[SourceModel, int]]


def per_layer_lists(host: SourceModel, layers: Layers) -> dict[str, Any]:
    """What a stack's config says about single layers; None for a list that must not be there.

    Args:
        host: The source that gives the rest of the config.
        layers: The stack's layers, each with its own source.

    Raises:
        CheckpointError: Layers see a window, and the host has none.
    """
    names = [name for name, value in settings_of(host.config).to_dict().items() if _is_list(name, value, host.depth)]
    lists = {name: _entries(name, layers) for name in names}
    if SLIDING in (lists.get("layer_types") or ()) and settings_of(host.config).sliding_window is None:
        raise CheckpointError(f"source {host.name}: sliding_window for layers of type {SLIDING}, got none")
    return {**lists, **_dense_layers(layers)}


def _entries(name: str, layers: Layers) -> list[Any] | None:
    """None where a source has no such list: then the family's class doesn't know it, and nothing reads it."""
    lists: list[Any] = [getattr(settings_of(source.config), name, None) for source, _ in layers]
    known = all(_is_list(name, own, source.depth) for own, (source, _) in zip(lists, layers, strict=True))
    return [own[layer] for own, (_, layer) in zip(lists, layers, strict=True)] if known else None


def _is_list(name: str, value: Any, depth: int) -> bool:
    listed = isinstance(value, list | tuple) and len(value) == depth
    return listed and name not in _OTHER and not name.endswith(_TOKENS)


def _dense_layers(layers: Layers) -> dict[str, Any]:
    """Qwen's mixtures of experts list the layers without experts by their index."""
    if not hasattr(settings_of(layers[0][0].config), "mlp_only_layers"):
        return {}
    kinds = [has_experts(settings_of(source.config), layer) for source, layer in layers]
    return {"mlp_only_layers": [place for place, some in enumerate(kinds) if not some], "decoder_sparse_step": 1}
