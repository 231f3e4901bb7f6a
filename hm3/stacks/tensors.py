"""The tensors of a stack, by the names that they have in the exported file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.layers import Family, family_of
from hm3.recipe import Recipe
from hm3.stacks.config import no_layer, tied


def stack_tensors(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> Iterator[tuple[str, Tensor]]:
    """The stack's tensors under their names in the exported file, one after the other, in the sources' own type."""
    host, head = checkpoints[recipe.embedding_host], checkpoints[recipe.head_host]
    family = family_of(host.name, host.config)
    yield family.embedding, host.tensor(family.embedding)
    for place, ref in enumerate(recipe.path):
        source = checkpoints[ref.source]
        for name in _layer_names(source, family, ref.layer):
            suffix = name.removeprefix(family.layer_prefix(ref.layer))
            yield family.layer_prefix(place) + suffix, source.tensor(name)
    yield family.norm, head.tensor(family.norm)
    if not tied(recipe, checkpoints):
        yield family.head, head.tensor(_head_name(head, family))


def _head_name(source: Checkpoint, family: Family) -> str:
    return family.head if family.head in source.tensors else family.embedding


def _layer_names(source: Checkpoint, family: Family, layer: int) -> list[str]:
    names = family.layer_names(source.tensor_names, layer)
    if not names:
        raise no_layer(source, layer)
    return names
