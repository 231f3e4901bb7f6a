"""A recipe's file becomes a model that can be written: the full form, as exported models have it, or the short one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hm3.checkpoints import Checkpoint, check_compatible, hub_recipe, is_hub_id
from hm3.checkpoints.reading import RefusedError, read_json
from hm3.checks import path, whole
from hm3.composition.recipe_sources import found_sources, source_checkpoints, tensor_files
from hm3.composition.source_paths import open_source
from hm3.errors import ConfigurationError
from hm3.layers import family_of
from hm3.parameter import MergeCache, pareto
from hm3.recipe import Recipe, ShortForm
from hm3.recipe.files import CARD, PARETO, PICTURE, RECIPE
from hm3.seams import SeamValues
from hm3.strict_yaml import read_yaml

_log = logging.getLogger(__name__)
SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class RecipeModel:
    """What a recipe's file asks for.

    Attributes:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
        found: The checkpoints that were given; a merged source's parents are among them, where they were needed.
        card: The model card beside the file, if it is this model's.
        pictures: The picture that such a card shows: name -> content.
        tensors: The tensor beside the file, where a source of the recipe needs one: name -> content.
        shard_bytes: Upper limit of a weight file, where the file says it.
        seams: What the seams of the stack do, where it has any.
    """

    recipe: Recipe
    checkpoints: Mapping[str, Checkpoint]
    found: Mapping[str, Checkpoint]
    card: str | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    tensors: Mapping[str, bytes] = field(default_factory=dict)
    shard_bytes: int | None = None
    seams: SeamValues = field(default_factory=SeamValues)


def open_recipe(place: object, stated: Mapping[str, str], merges: Path) -> RecipeModel:
    """Read a recipe and open its sources.

    Args:
        place: The file, the folder of an exported model, or its name on the Hub.
        stated: Name of a source -> where it is, other than the recipe says.
        merges: The folder in which merged sources and adapters are kept.

    Raises:
        CheckpointError: A source cannot be used, or they don't fit together; or the recipe cannot be fetched.
        ConfigurationError: It is no recipe, or a source is not what the recipe names.
    """
    file = _located(place)
    value = _value(file)
    if isinstance(value, Mapping) and "format" in value:
        return _full(value, file, stated, merges)
    return _short(ShortForm.from_value(value), stated, merges)


def _located(place: object) -> Path:
    """The recipe's file; a missing ``folder/stack.yaml`` looks like a name of the Hub, and is none."""
    if isinstance(place, str) and is_hub_id(place) and Path(place).suffix not in SUFFIXES:
        return hub_recipe(place)
    found = path("recipe", place)
    return found / RECIPE if found.is_dir() else found


def _value(file: Path) -> Any:
    if file.suffix != ".json":
        return read_yaml("recipe", file)
    try:
        return read_json(file)
    except RefusedError as refusal:
        raise ConfigurationError(f"recipe ({file.parent}): {refusal}") from refusal


def _full(value: Mapping[str, Any], file: Path, stated: Mapping[str, str], merges: Path) -> RecipeModel:
    recipe = Recipe.from_json(value)
    shard_bytes = whole("recipe.shard_bytes", value["shard_bytes"], 1) if "shard_bytes" in value else None
    seams = SeamValues.from_json(value["seams"], file.parent) if "seams" in value else SeamValues()
    cache = MergeCache(merges)
    if (tensor := file.parent / PARETO).is_file():
        cache.keep_tensor(pareto.load_tensor(tensor))
    found = found_sources(recipe, stated, merges)
    checkpoints = source_checkpoints(recipe.sources, found, cache)
    _check([checkpoints[recipe.embedding_host], *checkpoints.values()], "host")  # somebody decided that already
    card = _card_beside(file, recipe)
    pictures = {} if card is None else _pictures_beside(file)
    tensors = tensor_files(recipe, cache)
    return RecipeModel(recipe, checkpoints, found, card, pictures, tensors, shard_bytes, seams)


def _short(short: ShortForm, stated: Mapping[str, str], merges: Path) -> RecipeModel:
    for name in stated:
        if name not in short.places:
            raise ConfigurationError(f"sources.{name}: of the recipe's {', '.join(short.places)}, got another name")
    places = {**short.places, **stated}
    checkpoints = {name: open_source(name, places[name], merges) for name in short.used}
    _check(list(checkpoints.values()), short.on_mismatch or "refuse")
    recipe = short.recipe({name: checkpoint.source for name, checkpoint in checkpoints.items()})
    return RecipeModel(recipe, checkpoints, checkpoints)


def _check(checkpoints: list[Checkpoint], on_mismatch: Any) -> None:
    """See that the sources, the embedding host first, can give layers to one model."""
    for checkpoint in checkpoints:
        family_of(checkpoint.name, checkpoint.config)
    for warning in check_compatible(checkpoints, on_mismatch):
        _log.warning("%s", warning)


def _card_beside(file: Path, recipe: Recipe) -> str | None:
    """The text of ``README.md`` beside the file, where it names this very model."""
    try:
        text = (file.parent / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return text if recipe.digest[:8] in text else None


def _pictures_beside(file: Path) -> dict[str, bytes]:
    picture = file.parent / PICTURE
    return {PICTURE: picture.read_bytes()} if picture.is_file() else {}
