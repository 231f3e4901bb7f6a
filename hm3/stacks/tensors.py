"""The tensors of a stack, by the names that they have in the exported file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from torch import Tensor

from hm3.checkpoints import Checkpoint, Computed, ComputedRows, Copied, Outgoing
from hm3.checkpoints.vocabulary import shared_rows
from hm3.layers import Family, family_of
from hm3.recipe import Recipe
from hm3.seams import NO_TRANSFORMS, Change, Folding, Transforms
from hm3.stacks.config import no_layer, tied


def stack_tensors(
    recipe: Recipe, checkpoints: Mapping[str, Checkpoint], seams: Transforms = NO_TRANSFORMS
) -> Iterator[Outgoing]:
    """The stack's tensors under their names in the exported file, in the stack's order; nothing is read yet.

    Every tensor keeps its source's bytes, and so its type, also where sources differ: the file holds what was scored,
    and loaded as float32 it gives those scores again. The config states the embedding host's type; a loader that
    follows it rounds the others to it, once. Where a seam is folded into a tensor, that is rounded to its type once.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
        seams: The transform of every seam of the recipe.

    Raises:
        CheckpointError: A source lacks a layer or a tensor, or a seam has no transform.
    """
    folding = Folding.of(recipe, checkpoints, seams)
    host, head = checkpoints[recipe.embedding_host], checkpoints[recipe.head_host]
    family = family_of(host.name, host.config)
    rows = shared_rows(host, head)
    embedding, *others = family.embedding
    yield Copied.of(host, embedding).first_rows(rows)
    for name in others:
        yield Copied.of(host, name)
    for place, ref in enumerate(recipe.path):
        source, prefix = checkpoints[ref.source], family.layer_prefix(ref.layer)
        for name in _layer_names(source, family, ref.layer):
            suffix = name.removeprefix(prefix)
            change = folding.layer(place, suffix, _siblings(source, prefix))
            yield _changed(Copied.of(source, name, family.layer_prefix(place) + suffix), change, source, name)
    gain, *others = family.norm
    yield _changed(Copied.of(head, gain), folding.norm(), head, gain)
    for name in others:
        yield Copied.of(head, name)
    if not tied(recipe, checkpoints):
        name = _head_name(head, family)
        change = folding.head(lambda _: head.read(gain))
        yield _changed_rows(Copied.of(head, name, family.head).first_rows(rows), change, head, name)


def _changed(tensor: Copied, change: Change | None, source: Checkpoint, name: str) -> Outgoing:
    """The tensor as it is, or what becomes of the source's tensor `name` when its turn comes."""
    if change is None:
        return tensor
    rows = tensor.shape[0]
    return Computed(tensor.name, tensor.dtype, tensor.shape, lambda: change(source.read(name)[:rows]))


def _changed_rows(tensor: Copied, change: Change | None, source: Checkpoint, name: str) -> Outgoing:
    """The same for a tensor whose rows change each by itself; a head may be larger than all else."""
    if change is None:
        return tensor
    rows = partial(source.read_rows, name)
    return ComputedRows(tensor.name, tensor.dtype, tensor.shape, lambda first, stop: change(rows(first, stop)))


def _siblings(source: Checkpoint, prefix: str) -> Callable[[str], Tensor]:
    """Other tensors of a layer by their names after its prefix."""
    return lambda name: source.read(prefix + name)


def _head_name(source: Checkpoint, family: Family) -> str:
    return family.head if family.head in source.tensors else family.embedding[0]


def _layer_names(source: Checkpoint, family: Family, layer: int) -> list[str]:
    names = family.layer_names(source.tensor_names, layer)
    if not names:
        raise no_layer(source, layer)
    return names
