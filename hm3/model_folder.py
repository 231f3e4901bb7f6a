"""The exported model: a plain checkpoint with its recipe, for HM3 and for mergekit, and its model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from hm3.checkpoints import Checkpoint, write_checkpoint
from hm3.checkpoints.reading import RefusedError, read_json
from hm3.errors import HM3Error
from hm3.recipe import Recipe
from hm3.recipe.files import CARD, MERGEKIT, PICTURE, RECIPE, SEAMS
from hm3.replay import mergekit_recipe
from hm3.runs import RunFolder
from hm3.seams import SeamValues, stack_seams
from hm3.stacks import stack_config, stack_tensors

NO_SEAMS = SeamValues()


def recipe_text(recipe: Recipe, seams: SeamValues, shard_bytes: int) -> str:
    """The text of ``recipe.json``: the recipe, what its seams do, and how large weight files may be.

    All that decides the bytes of the model's folder, but for a file with the seams' matrices, where there are any.
    """
    fitted = {"seams": seams.to_json()} if seams.transforms else {}
    return json.dumps({**recipe.to_json(), **fitted, "shard_bytes": shard_bytes}, indent=1) + "\n"


def picture_of(run: RunFolder) -> dict[str, bytes]:
    """The picture of a run's front, to lie beside a card; nothing where there is none."""
    return {PICTURE: run.picture.read_bytes()} if run.picture.is_file() else {}


def holds(folder: Path, recipe: Recipe) -> bool:
    """Whether a folder is an exported model of this recipe: what HM3 writes is whole or absent."""
    try:
        Checkpoint.open("model", folder)
        return Recipe.from_json(read_json(folder / RECIPE)).digest == recipe.digest
    except (HM3Error, OSError, RefusedError):
        return False


def write_model(
    target: Path,
    recipe: Recipe,
    checkpoints: Mapping[str, Checkpoint],
    card: str,
    *,
    seams: SeamValues = NO_SEAMS,
    extras: Mapping[str, bytes] = MappingProxyType({}),
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
        seams: The transform of every seam of the recipe; others may be among them.
        extras: More files: name -> content.
        untouched: Folders, beside those of the recipe's sources, that must not be written to.
        shard_bytes: Upper limit of a weight file, in bytes.
        overwrite: Whether a folder that HM3 wrote may be replaced.

    Returns:
        `target`.

    Raises:
        CheckpointError: A seam has no transform, or cannot be folded into the weights.
        OutputError: The target must not or cannot be written.
    """
    used = {source.name: checkpoints[source.name] for source in recipe.sources}
    recipe = recipe.with_origins({name: checkpoint.origin for name, checkpoint in used.items()})
    seams = seams.of(stack_seams(recipe, used))
    files: dict[str, str | bytes] = {
        RECIPE: recipe_text(recipe, seams, shard_bytes),
        MERGEKIT: mergekit_recipe(recipe, used),
        CARD: card,
        **({} if seams.matrices is None else {SEAMS: seams.matrices}),
        **extras,
    }
    return write_checkpoint(
        target,
        stack_config(recipe, used),
        stack_tensors(recipe, used, seams.transforms),
        copy_from=used[recipe.embedding_host].path,
        files=files,
        shard_bytes=shard_bytes,
        sources=[*untouched, *(checkpoint.path for checkpoint in used.values())],
        overwrite=overwrite,
    )
