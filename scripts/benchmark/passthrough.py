"""A stack written to disk by mergekit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hm3.checkpoints import Checkpoint
from hm3.recipe import Recipe


def merge_to_disk(recipe: Recipe, checkpoints: Mapping[str, Checkpoint], folder: Path, **options: Any) -> Path:
    """The stack written by mergekit's passthrough, with `options` of its own, over what is in `folder`."""
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    host = checkpoints[recipe.embedding_host]
    stated = {"merge_method": "passthrough", "dtype": host.config["dtype"], "slices": slices(recipe, checkpoints)}
    chosen = MergeOptions(quiet=True, write_model_card=False, **options)
    run_merge(MergeConfiguration.model_validate(stated), str(folder), chosen)
    return folder


def slices(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> list[dict[str, Any]]:
    """Mergekit's slices of a stack.

    mergekit takes embedding, config and tokenizer from the first slice's model, norm and head from the last slice's: an
    empty slice at either end names the host.
    """
    ranges: list[tuple[str, int, int]] = []
    for ref in recipe.path:
        if ranges and ranges[-1][0] == ref.source and ranges[-1][2] == ref.layer:
            ranges[-1] = (ref.source, ranges[-1][1], ref.layer + 1)
        else:
            ranges.append((ref.source, ref.layer, ref.layer + 1))
    ends = (recipe.embedding_host, 0, 0), (recipe.head_host, 0, 0)
    return [
        {"sources": [{"model": str(checkpoints[name].path), "layer_range": [first, end]}]}
        for name, first, end in (ends[0], *ranges, ends[1])
    ]
