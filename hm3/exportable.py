"""What is to be exported: a candidate of a run, or the model that a recipe describes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from hm3.checkpoints import Checkpoint
from hm3.checks import by_name, number, path
from hm3.closing import choose
from hm3.composition import chosen, open_recipe, stated_text, stated_weights, tensor_files
from hm3.composition.instances import instance
from hm3.composition.sections import section
from hm3.errors import ConfigurationError
from hm3.model_card import folders_named, model_card, stack_card
from hm3.model_folder import picture_of
from hm3.objectives import Preference
from hm3.parameter.pareto import METHOD
from hm3.past_run import PastRun
from hm3.recipe import Recipe
from hm3.runs import Member
from hm3.seams import SeamValues
from hm3.stacks import untied_bytes

_log = logging.getLogger(__name__)
SHARD_MB = 1000  # where neither the command nor the recipe says it


@dataclass(frozen=True)
class Exportable:
    """A model that is ready to be written.

    Attributes:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
        card: The model card's text.
        seams: What the seams of the stack do.
        extras: More files: name -> content.
        untouched: Folders that must not be written to.
        shard_bytes: Upper limit of a weight file, in bytes.
    """

    recipe: Recipe
    checkpoints: Mapping[str, Checkpoint]
    card: str
    seams: SeamValues
    extras: Mapping[str, bytes]
    untouched: tuple[Path, ...]
    shard_bytes: int

    @property
    def title(self) -> str:
        """What a commit says about it."""
        return f"A stack of {self.recipe.depth} layers, {self.recipe.digest[:8]}"

    @property
    def growth(self) -> str:
        """What a seam adds to the files, in words; empty where it adds nothing."""
        added = untied_bytes(self.recipe, self.checkpoints)
        return f", {added:,} bytes more: a seam parts embedding and head" if added else ""


def exportable(config: DictConfig) -> Exportable:
    """What the command asks for.

    Raises:
        CheckpointError: A source cannot be used.
        ConfigurationError: Neither or both of a run and a recipe are stated, or they are none.
    """
    if (config.run is None) == (config.recipe is None):
        came = "neither" if config.run is None else "both"
        raise ConfigurationError(f"export: one of run=DIR and recipe=FILE, got {came}")
    model = _of_recipe(config) if config.run is None else _of_run(config)
    if config.push_to_hub is not None and (here := folders_named(model.recipe)):
        _log.warning("recipe.json goes to the Hub and names folders of this machine: %s", ", ".join(here))
    return model


def _of_run(config: DictConfig) -> Exportable:
    if config.sources:
        raise ConfigurationError("sources: with recipe=FILE; a run knows its own, got run=DIR")
    past = PastRun.open(config.run)
    if (level := chosen("parameter")) is not None:
        return _of_level(past, level, config)
    member, preference = _member(past, config)
    checkpoints, pictures = past.checkpoints(member.recipe), picture_of(past.folder)
    card = model_card(
        past.front,
        member,
        preference=preference,
        place=stated_text(config, "push_to_hub") or ".",
        dtype=checkpoints[member.recipe.embedding_host].dtype,
        picture=bool(pictures),
        untied=untied_bytes(member.recipe, checkpoints),
    )
    return Exportable(
        member.recipe,
        checkpoints,
        card,
        past.folder.read_seams(),
        {**pictures, **tensor_files(member.recipe, past.merges)},
        past.folders,
        _shard_bytes(config) or SHARD_MB * 1_000_000,
    )


def _of_level(past: PastRun, level: str, config: DictConfig) -> Exportable:
    """What the run's parameter level gives to a preference, whether or not it is on the front."""
    if level != METHOD or stated_text(config, "candidate") is not None:
        rule = f"{METHOD}, which has a model for every preference, or none and the front's"
        raise ConfigurationError(f"parameter: {rule}, got {level!r}")
    preference = Preference.of(stated_weights(config) or past.weights, past.objectives)
    recipe = past.merged_for(preference)
    checkpoints = past.checkpoints(recipe)
    dtype = checkpoints[recipe.embedding_host].dtype
    return Exportable(
        recipe,
        checkpoints,
        stack_card(recipe, place=stated_text(config, "push_to_hub") or ".", dtype=dtype),
        SeamValues(),
        tensor_files(recipe, past.merges),
        past.folders,
        _shard_bytes(config) or SHARD_MB * 1_000_000,
    )


def _of_recipe(config: DictConfig) -> Exportable:
    if (level := chosen("parameter")) is not None:
        raise ConfigurationError(f"parameter: with run=DIR; a recipe is one model, got {level!r}")
    if stated_text(config, "candidate") is not None or stated_weights(config) is not None:
        raise ConfigurationError("candidate and preference: with run=DIR; a recipe is one model, got recipe=FILE")
    places = by_name("sources", config.sources or {})
    model = open_recipe(config.recipe, places, path("merges", config.merges))
    dtype = model.checkpoints[model.recipe.embedding_host].dtype
    place = stated_text(config, "push_to_hub") or "."
    untied = untied_bytes(model.recipe, model.checkpoints)
    return Exportable(
        model.recipe,
        model.checkpoints,
        model.card or stack_card(model.recipe, place=place, dtype=dtype, untied=untied),
        model.seams,
        {**model.pictures, **model.tensors},
        tuple(checkpoint.path for checkpoint in model.found.values()),
        _shard_bytes(config) or model.shard_bytes or SHARD_MB * 1_000_000,
    )


def _member(past: PastRun, config: DictConfig) -> tuple[Member, Preference | None]:
    """The candidate that is named, or the best one by preference, and that preference."""
    candidate = stated_text(config, "candidate")
    if candidate is not None:
        return past.member(candidate), None
    preference = Preference.of(stated_weights(config) or past.weights, past.front.names)
    return choose(past.front, preference, instance(section(past.settings, "utility"), "utility")), preference


def _shard_bytes(config: DictConfig) -> int | None:
    if config.shard_mb is None:
        return None
    return int(number("shard_mb", config.shard_mb, 0, above=True) * 1_000_000)
