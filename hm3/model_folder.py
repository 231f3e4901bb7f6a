"""The exported model: a plain checkpoint with its recipe and its model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from hm3.checkpoints import Checkpoint, write_checkpoint
from hm3.recipe import Recipe
from hm3.stacks import stack_config, stack_tensors


def write_model(
    target: Path,
    recipe: Recipe,
    checkpoints: Mapping[str, Checkpoint],
    card: str,
    *,
    untouched: Sequence[Path] = (),
    shard_bytes: int = 10**9,
    overwrite: bool = False,
) -> Path:
    """Write a stack as a checkpoint that stock transformers loads; whole or absent at any moment.

    Args:
        target: The folder to be.
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
        card: The model card's text.
        untouched: Folders, beside those of the recipe's sources, that must not be written to.
        shard_bytes: Upper limit of a weight file, in bytes.
        overwrite: Whether a folder that HM3 wrote may be replaced.

    Returns:
        `target`.

    Raises:
        OutputError: The target must not or cannot be written.
    """
    used = {source.name: checkpoints[source.name] for source in recipe.sources}
    return write_checkpoint(
        target,
        stack_config(recipe, used),
        stack_tensors(recipe, used),
        copy_from=used[recipe.embedding_host].path,
        files={"recipe.json": json.dumps(recipe.to_json(), indent=1) + "\n", "README.md": card},
        shard_bytes=shard_bytes,
        sources=[*untouched, *(checkpoint.path for checkpoint in used.values())],
        overwrite=overwrite,
    )
