"""The sources of a recipe: found, seen to be the ones it means, merged ones built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hm3.checkpoints import Checkpoint
from hm3.composition.source_paths import open_source
from hm3.errors import ConfigurationError
from hm3.parameter import MergeCache
from hm3.parameter.pareto import METHOD
from hm3.recipe import Recipe, Source
from hm3.recipe.files import PARETO


def found_sources(recipe: Recipe, stated: Mapping[str, str], merges: Path) -> dict[str, Checkpoint]:
    """Name -> checkpoint for every given source that the recipe needs: `MergeCache.missing`.

    Args:
        recipe: The stack.
        stated: Name of a source -> where it is, other than the recipe says.
        merges: The folder in which merged sources and adapters are kept.

    Raises:
        CheckpointError: A source cannot be used.
        ConfigurationError: Nobody says where one is, or another model is there, or `stated` names one too many.
    """
    known = {given.name for source in recipe.sources for given in source.given}
    for name in stated:
        if name not in known:
            raise ConfigurationError(f"sources.{name}: of the recipe's {', '.join(sorted(known))}, got another name")
    needed: dict[str, Source] = {}
    for source in (each for used in recipe.sources for each in MergeCache(merges).missing(used)):
        if needed.setdefault(source.name, source).digest != source.digest:
            raise ConfigurationError(f"recipe: one source called {source.name}, got two")
    return {name: _found(source, stated.get(name, source.origin), merges) for name, source in needed.items()}


def source_checkpoints(
    sources: Iterable[Source], given: Mapping[str, Checkpoint], merges: MergeCache
) -> dict[str, Checkpoint]:
    """Name -> checkpoint for every source of a recipe, merged ones built if need be.

    Raises:
        CheckpointError: A source cannot be used.
        ConfigurationError: A source of the recipe is not among the given, or has another content.
    """
    found = {}
    for source in sources:
        if source.merge is not None:
            found[source.name] = merges.open(source, given)
        elif source.name in given:
            found[source.name] = checked(source, given[source.name])
        else:
            raise ConfigurationError(f"recipe source {source.name}: one of {', '.join(given)}, got another")
    return found


def tensor_files(recipe: Recipe, merges: MergeCache) -> dict[str, bytes]:
    """The file that must lie beside a recipe with a preference-conditioned source: name -> content; else nothing.

    Raises:
        CheckpointError: It is not kept.
    """
    specs = {source.merge.digest: source.merge for source in recipe.sources if source.merge}
    found = [merges.tensor_file(spec) for spec in specs.values() if spec.method == METHOD]
    return {PARETO: found[0].read_bytes()} if found else {}


def checked(source: Source, checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint, which must have the source's content.

    Raises:
        ConfigurationError: It has not.
    """
    if checkpoint.digest != source.digest:
        raise ConfigurationError(
            f"source {source.name}: the content that the recipe names, digest {source.digest[:12]},"
            f" got {checkpoint.digest[:12]} in {checkpoint.origin}"
        )
    return checkpoint


def _found(source: Source, place: str | None, merges: Path) -> Checkpoint:
    if place is None:
        rule = f"where it is, +sources.{source.name}=PLACE"
        raise ConfigurationError(f"source {source.name}: {rule}, got a recipe that doesn't say")
    return checked(source, open_source(source.name, place, merges))
