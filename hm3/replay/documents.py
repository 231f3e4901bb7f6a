"""What mergekit is asked to do: a document for each merge, and the stack as a passthrough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hm3.checkpoints import Checkpoint
from hm3.parameter.configuration import merge_document
from hm3.recipe import Recipe
from hm3.replay.places import merge_name, merged, reference


def documents(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> Iterator[dict[str, Any]]:
    """The documents of the file, in the order in which they are made.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
    """
    for source in merged(recipe):
        assert source.merge is not None
        models = {parent.name: reference(parent) for parent in source.merge.sources}
        made = checkpoints[source.name]
        merge = merge_document(source.merge, models, dtype=_type_name(made), depth=made.depth)
        yield {"name": merge_name(source), **merge}
    yield _stack(recipe, checkpoints)


def _stack(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> dict[str, Any]:
    models = {source.name: reference(source) for source in recipe.sources}
    types = {entry.dtype for source in recipe.sources for entry in checkpoints[source.name].tensors.values()}
    # Without a type every tensor keeps its own; with one, the config says it, too.
    stated = {"dtype": _type_name(checkpoints[recipe.embedding_host])} if len(types) == 1 else {}
    return {
        "merge_method": "passthrough",
        "base_model": models[recipe.embedding_host],
        **stated,
        "slices": [{"sources": [{"model": models[name], "layer_range": part}]} for name, *part in _ranges(recipe)],
    }


def _ranges(recipe: Recipe) -> Iterator[tuple[str, int, int]]:
    """(source, first layer, layer after the last): neighbours together; hosts that are no ends as empty ranges."""
    ranges: list[tuple[str, int, int]] = []
    for ref in recipe.path:
        source, first, end = ranges[-1] if ranges else ("", 0, 0)
        if (source, end) == (ref.source, ref.layer):
            ranges[-1] = (source, first, end + 1)
        else:
            ranges.append((ref.source, ref.layer, ref.layer + 1))
    if ranges[0][0] != recipe.embedding_host:
        yield recipe.embedding_host, 0, 0
    yield from ranges
    if ranges[-1][0] != recipe.head_host:
        yield recipe.head_host, 0, 0


def _type_name(checkpoint: Checkpoint) -> str:
    return str(checkpoint.dtype).removeprefix("torch.")
