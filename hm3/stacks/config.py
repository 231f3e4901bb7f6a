"""The ``config.json`` of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import family_of
from hm3.recipe import Recipe

PER_LAYER = ("layer_types", "no_rope_layers", "mlp_layer_types")  # config lists with one entry for each layer


def stack_config(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> dict[str, Any]:
    """The ``config.json`` of a stack: the embedding host's, with its own depth and per-layer lists.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.

    Raises:
        CheckpointError: The stack names a layer that its source lacks.
    """
    for ref in recipe.path:
        if not 0 <= ref.layer < checkpoints[ref.source].depth:
            raise no_layer(checkpoints[ref.source], ref.layer)
    config = dict(checkpoints[recipe.embedding_host].config)
    config["num_hidden_layers"] = recipe.depth
    for key in PER_LAYER:
        config.pop(key, None)  # where a source doesn't say, transformers derives the list
        lists: list[Any] = [checkpoints[ref.source].config.get(key) for ref in recipe.path]
        if all(lists):
            config[key] = [entries[ref.layer] for entries, ref in zip(lists, recipe.path, strict=True)]
    config["tie_word_embeddings"] = tied(recipe, checkpoints)
    config.pop("_name_or_path", None)
    return config


def tied(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> bool:
    """Embedding and head are one tensor only where one source gives both and ties them itself."""
    host = checkpoints[recipe.embedding_host]
    family = family_of(host.name, host.config)
    return recipe.embedding_host == recipe.head_host and family.head not in host.tensors


def no_layer(source: Checkpoint, layer: int) -> CheckpointError:
    """What to raise where a stack names a layer that its source lacks."""
    return CheckpointError(f"source {source.name}: layers are 0 to {source.depth - 1}, got {layer}")
