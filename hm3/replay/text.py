"""The file ``mergekit.yaml`` of an exported model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from hm3.checkpoints import Checkpoint
from hm3.recipe import Recipe
from hm3.replay.documents import documents
from hm3.replay.families import VERSION
from hm3.replay.obstacles import obstacles, seeds
from hm3.replay.places import given, is_zoo, merged


def mergekit_recipe(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> str:
    """The text of the file: what mergekit replays to the same tensors; where it would not, comments say why.

    It follows from recipe and content alone: sources are where the recipe says, wherever they were found this time.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
    """
    if reasons := list(obstacles(recipe, checkpoints)):
        return _comment(_refusal(reasons))
    parts = (_text(document) for document in documents(recipe, checkpoints))
    return _comment(_usage(recipe)) + "---\n".join(parts)


class _Dumper(yaml.SafeDumper):
    """Says everything in full: no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(document: Mapping[str, Any]) -> str:
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=1000
    )
    return text


def _refusal(reasons: Iterable[str]) -> Iterator[str]:
    yield f"mergekit {VERSION} cannot make this model:"
    yield from (f"- {reason}" for reason in reasons)
    yield "HM3 can: python -m hm3.export recipe=recipe.json out=OUT"


def _usage(recipe: Recipe) -> Iterator[str]:
    if any(merged(recipe)):
        seed = "".join(f" --random-seed {seed}" for seed in seeds(recipe))
        yield f"mergekit-multi mergekit.yaml --intermediate-dir MERGES --out-path OUT --clone-tensors{seed}"
    else:
        yield "mergekit-yaml mergekit.yaml OUT --clone-tensors"  # a layer may come twice
    yield f"As of mergekit {VERSION}. A range ends before its second number; an empty one names a host: the first model"
    yield "gives the embedding, the last one the final norm and the head."
    if any(merged(recipe)):  # how many they have is the parents' to say, which nobody needs once they are merged
        yield "Of models with different numbers of rows in embedding and head it makes no merge, and stops."
    if any(is_zoo(source) for source in given(recipe)):
        yield "The zoo's models are found from within HM3's clone."


def _comment(lines: Iterable[str]) -> str:
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)
