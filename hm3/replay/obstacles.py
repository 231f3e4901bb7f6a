"""Why mergekit would make another model of a stack, or none at all.

mergekit changes nothing of the base model's config but its depth, takes embedding and head from the models of the first
and of the last slice, and knows a family's tensors from a list of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.content import essentials
from hm3.layers import family_of
from hm3.parameter.methods import METHODS, SEED
from hm3.recipe import MergeSpec, Recipe
from hm3.replay.families import REPLAYS, Replay
from hm3.replay.places import given, is_folder, merged
from hm3.stacks import stack_config
from hm3.stacks.config import tied

_UNREADABLE = set('@+" ')  # in the path of a model, beside merges
_RANDOM = frozenset(name for name, method in METHODS.items() if method.random)


def obstacles(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> Iterator[str]:
    """Every reason; none where mergekit makes the same model.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
    """
    host = checkpoints[recipe.embedding_host]
    replay = REPLAYS.get(host.model_type)
    if recipe.seam != "none":
        yield f"seams are folded into the weights: {recipe.seam.partition(':')[0]}"
    if replay is None:
        yield f"on stacks of {host.model_type} it crashes, or writes a wrong config"
        return
    for source in recipe.sources:
        yield from _of_tensors(checkpoints[source.name], replay)
    yield from _of_config(recipe, checkpoints)
    yield from _of_head(recipe, checkpoints, replay)
    yield from _of_places(recipe)
    yield from _of_merges(recipe)


def seeds(recipe: Recipe) -> list[int]:
    """The seeds of the random merges among the sources."""
    merges = [source.merge for source in merged(recipe) if source.merge]
    return sorted({int(dict(merge.settings)[SEED]) for merge in merges if merge.method in _RANDOM})


def _of_tensors(checkpoint: Checkpoint, replay: Replay) -> Iterator[str]:
    architectures = checkpoint.config.get("architectures")
    if architectures != [replay.architecture]:
        yield f"it knows {replay.architecture}; architectures of {checkpoint.name}: {architectures}"
    family = family_of(checkpoint.name, checkpoint.config)
    known = {f"{module}.weight" for module in replay.modules}
    found = {
        name.removeprefix(family.layer_prefix(layer))
        for layer in range(checkpoint.depth)
        for name in family.layer_names(checkpoint.tensor_names, layer)
    }
    if unknown := sorted(found - known):
        yield f"it leaves out tensors of the layers of {checkpoint.name}: {', '.join(unknown)}"


def _of_config(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> Iterator[str]:
    config = checkpoints[recipe.embedding_host].config
    settled = {"num_hidden_layers": recipe.depth, "tie_word_embeddings": config.get("tie_word_embeddings", False)}
    theirs, ours = essentials({**config, **settled}), essentials(stack_config(recipe, checkpoints))
    for key in sorted(theirs.keys() | ours.keys()):
        if theirs.get(key) != ours.get(key):
            yield f"it leaves {key} as it is in the config of {recipe.embedding_host}; the stack needs another"


def _of_head(recipe: Recipe, checkpoints: Mapping[str, Checkpoint], replay: Replay) -> Iterator[str]:
    host, head = checkpoints[recipe.embedding_host], checkpoints[recipe.head_host]
    family = family_of(host.name, host.config)
    if family.head not in head.tensors and not tied(recipe, checkpoints):
        yield f"the head of {head.name} is its embedding, and it writes no head then"
    elif family.head not in head.tensors and not replay.head_optional:
        yield f"the head of {head.name} is its embedding, and it wants a head of {replay.architecture}"
    name = family.head if family.head in head.tensors else family.embedding[0]
    rows, wanted = head.tensors[name].shape[0], host.tensors[family.embedding[0]].shape[0]
    if rows != wanted:
        yield f"the head of {head.name} has {rows} rows, the embedding of {host.name} {wanted}"


def _of_places(recipe: Recipe) -> Iterator[str]:
    beside_merges = any(merged(recipe))
    for source in given(recipe):
        if source.origin is None:
            yield f"nobody said where {source.name} is"
        elif " on " in source.origin:
            yield f"it merges adapters with other arithmetic: {source.name}"
        elif beside_merges and is_folder(source) and _UNREADABLE & set(source.origin):
            yield f"beside merges it misreads the path of {source.name}, {source.origin}"


def _of_merges(recipe: Recipe) -> Iterator[str]:
    if len(seeds(recipe)) > 1:
        yield f"it takes one seed for all merges, not {', '.join(map(str, seeds(recipe)))}"
    for source in merged(recipe):
        yield from (f"{reason}: {source.name}" for reason in _of_merge(source.merge) if source.merge)


def _of_merge(merge: MergeSpec | None) -> Iterator[str]:
    if merge and any(parent.merge for parent in merge.sources):
        yield "the type of a merge of merges is not stated"
    if merge and merge.method not in METHODS:
        yield f"it has no method {merge.method}"
    if merge and merge.method == "slerp" and merge.base:
        yield "it takes the config of a slerp from its first parent, not from its base"
