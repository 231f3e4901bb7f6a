"""The ``config.json`` of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hm3.checkpoints import SourceModel
from hm3.checkpoints.vocabulary import check_tokens, rows_of, shared_rows
from hm3.errors import CheckpointError
from hm3.layers import family_of
from hm3.recipe import Recipe
from hm3.seams import NONE, turns_head
from hm3.stacks.per_layer import PATTERNS, per_layer_lists

DEPTH = ("num_hidden_layers", "n_layer")  # what families call the number of layers


def stack_config(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> dict[str, Any]:
    """The ``config.json`` of a stack: the embedding host's, with its own depth and per-layer lists.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.

    Raises:
        CheckpointError: The stack names a layer that its source lacks, or its head has no rows for its tokens.
    """
    for ref in recipe.path:
        if not 0 <= ref.layer < checkpoints[ref.source].depth:
            raise no_layer(checkpoints[ref.source], ref.layer)
    host = checkpoints[recipe.embedding_host]
    layers = [(checkpoints[ref.source], ref.layer) for ref in recipe.path]
    config = deepcopy(dict(host.config))  # config classes write into what they are given
    config |= {key: recipe.depth for key in DEPTH if key in config}
    lists = per_layer_lists(host, layers)
    config |= lists
    config["tie_word_embeddings"] = tied(recipe, checkpoints)
    if recipe.embedding_host != recipe.head_host:
        config["vocab_size"] = stack_rows(recipe, checkpoints)
    dropped = ("_name_or_path", *PATTERNS, *(key for key, entries in lists.items() if entries is None))
    return {key: value for key, value in config.items() if key not in dropped}


def tied(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> bool:
    """Embedding and head are one tensor only where one source gives both, ties them itself, and no seam parts them."""
    host = checkpoints[recipe.embedding_host]
    family = family_of(host.name, host.config)
    return (
        recipe.embedding_host == recipe.head_host
        and family.head not in host.tensors
        and not turns_head(recipe, checkpoints)
    )


def untied_bytes(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> int:
    """How much larger a stack's file is because a seam parts embedding and head; 0 where none does."""
    if not turns_head(recipe, checkpoints) or not tied(replace(recipe, seam=NONE), checkpoints):
        return 0
    host = checkpoints[recipe.head_host]
    entry = host.tensors[family_of(host.name, host.config).embedding[0]]
    return entry.stop - entry.start


def stack_rows(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> int:
    """The rows of embedding and head: those that both hosts have.

    Raises:
        CheckpointError: The embedding host's tokenizer has more tokens.
    """
    host, head = checkpoints[recipe.embedding_host], checkpoints[recipe.head_host]
    rows = shared_rows(host, head)
    if rows < rows_of(host):
        check_tokens(host, rows, head.name)
    return rows


def no_layer(source: SourceModel, layer: int) -> CheckpointError:
    """What to raise where a stack names a layer that its source lacks."""
    return CheckpointError(f"source {source.name}: layers are 0 to {source.depth - 1}, got {layer}")
