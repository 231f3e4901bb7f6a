"""What mergekit calls a source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hm3.parameter.configuration import folder_reference
from hm3.recipe import Recipe, Source

ZOO = "zoo:"
ZOO_FOLDER = "hm3/zoo/models"  # seen from the clone: the same text on every machine


def reference(source: Source) -> Any:
    """A value of mergekit's `model`: the name of a merge, a folder, or ``org/name@commit``."""
    if source.merge:
        return merge_name(source)
    if is_zoo(source):
        return f"{ZOO_FOLDER}/{str(source.origin).removeprefix(ZOO)}"
    return folder_reference(Path(str(source.origin))) if is_folder(source) else source.origin


def merge_name(source: Source) -> str:
    """What a merge is called among the documents of one file."""
    return f"merge-{source.digest[:12]}"


def is_zoo(source: Source) -> bool:
    """Whether it is a model of the built-in zoo."""
    return str(source.origin).startswith(ZOO)


def is_folder(source: Source) -> bool:
    """Whether it lies in a folder that was named as such."""
    return Path(str(source.origin)).is_absolute()


def given(recipe: Recipe) -> Iterator[Source]:
    """What the stack is made of in the end, each once."""
    yield from {each.digest: each for source in recipe.sources for each in source.given}.values()


def merged(recipe: Recipe) -> Iterator[Source]:
    """The merged sources of a stack."""
    return (source for source in recipe.sources if source.merge)
