"""What a layer does otherwise than its neighbours, as its own source's config says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hm3.checkpoints.settings import settings_of
from hm3.errors import CheckpointError
from hm3.layers.forward import FULL, SLIDING, LayerKind

Kind = Callable[[Mapping[str, Any], int], LayerKind]
"""Of a source's ``config.json`` and a layer's index."""


def plain_kind(config: Mapping[str, Any], layer: int) -> LayerKind:
    """Of layers that are all alike and see everything."""
    return LayerKind(FULL)


def windowed_kind(config: Mapping[str, Any], layer: int) -> LayerKind:
    """Of layers that are all alike and see the host's window, where it has one."""
    return LayerKind(SLIDING)


def listed_kind(config: Mapping[str, Any], layer: int) -> LayerKind:
    """Of layers that are listed in ``layer_types``.

    Raises:
        CheckpointError: An entry that is neither full nor sliding attention.
    """
    attention = settings_of(config).layer_types[layer]
    if attention not in (FULL, SLIDING):
        raise CheckpointError(f"layer_types: {FULL} or {SLIDING}, got {attention!r} for layer {layer}")
    return LayerKind(attention)


def sometimes_turned_kind(config: Mapping[str, Any], layer: int) -> LayerKind:
    """Of layers that are listed in ``layer_types``, and in ``no_rope_layers``: 1 where positions count."""
    rope = bool(settings_of(config).no_rope_layers[layer])
    return listed_kind(config, layer)._replace(rope=rope)


def kind_with_experts(kind: Kind) -> Kind:
    """The same, and whether the layer has experts."""

    def found(config: Mapping[str, Any], layer: int) -> LayerKind:
        return kind(config, layer)._replace(experts=has_experts(settings_of(config), layer))

    return found


def has_experts(settings: Any, layer: int) -> bool:
    """By Qwen's two keys: a list of the layers that have none, and a step."""
    return layer not in settings.mlp_only_layers and (layer + 1) % settings.decoder_sparse_step == 0
