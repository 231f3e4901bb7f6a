"""A merge as mergekit's YAML, for people who want to run it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hm3.checkpoints import Checkpoint
from hm3.parameter.layer_runs import runs
from hm3.parameter.methods import METHODS, SEED
from hm3.parameter.specification import setting
from hm3.recipe import MergeSpec, Source


def configuration(spec: MergeSpec, paths: Mapping[str, Path], *, dtype: str = "bfloat16") -> dict[str, Any]:
    """What ``mergekit-yaml`` reads, as data; the seed of random methods is its option ``--random-seed``.

    Args:
        spec: The merge.
        paths: Name of a source -> its folder; of a merge with blocks, one with its config.json.
        dtype: Type of arithmetic and result, as torch names it.

    Raises:
        CheckpointError: The depth of a merge with blocks cannot be read.
    """
    depth = Checkpoint.open(spec.parents[0].name, paths[spec.parents[0].name]).depth if spec.blocks else None
    names = (source.name for source in spec.sources)
    return merge_document(spec, {name: folder_reference(paths[name]) for name in names}, dtype=dtype, depth=depth)


def merge_document(
    spec: MergeSpec, models: Mapping[str, Any], *, dtype: str, depth: int | None = None
) -> dict[str, Any]:
    """`configuration` for models wherever they are.

    `base_model` is always stated: without it mergekit takes config and tokenizer from an element of a set, which
    differs from run to run. A merge with blocks is one of slices: mergekit merges what comes before the layers as the
    first slice says, and what comes after them as the last.

    Args:
        spec: The merge.
        models: Name of a source -> what mergekit calls it.
        dtype: Type of arithmetic and result, as torch names it.
        depth: Number of layers, which a merge with blocks needs.

    Raises:
        ConfigurationError: A block begins after the last layer.
    """
    host = _host(spec)
    head = {"merge_method": spec.method, "base_model": models[host.name], "dtype": dtype}
    if not spec.blocks:
        return head | _part(spec, models, host, "models", {})
    assert depth is not None
    slices = [
        _part(part, models, host, "sources", {"layer_range": [first, end]}) for first, end, part in runs(spec, depth)
    ]
    return {**head, "slices": slices}


def _host(spec: MergeSpec) -> Source:
    """The source that mergekit takes config and tokenizer from."""
    return (spec.parents[0] if spec.method == "slerp" else spec.base) or spec.parents[0]


def _part(
    spec: MergeSpec, models: Mapping[str, Any], host: Source, key: str, place: Mapping[str, Any]
) -> dict[str, Any]:
    """What is merged, and how, in one run of layers; `place` says which, where it is not all."""
    merged = {parent.name: parent_parameters(spec, index) for index, parent in enumerate(spec.parents)}
    if spec.method == "linear" and host not in spec.parents:
        merged[host.name] = {"weight": 0.0}
    if place and host.name not in merged:
        merged[host.name] = {}  # of slices mergekit does not add the base itself
    inputs = [{"model": models[name], **place, **({"parameters": own} if own else {})} for name, own in merged.items()]
    shared = shared_parameters(spec)
    return {key: inputs, **({"parameters": shared} if shared else {})}


def configuration_text(spec: MergeSpec, paths: Mapping[str, Path], *, dtype: str) -> str:
    """`configuration` as YAML with the line that runs it."""
    seed = f" --random-seed {dict(spec.settings)[SEED]}" if METHODS[spec.method].random else ""
    text: str = yaml.safe_dump(configuration(spec, paths, dtype=dtype), sort_keys=False)
    return f"# mergekit-yaml mergekit.yaml OUT{seed}\n{text}"


def parent_parameters(spec: MergeSpec, parent: int) -> dict[str, Any]:
    """Mergekit's parameters of the parent at index `parent`."""
    method = METHODS[spec.method]
    if not method.own_weights:
        return {}
    own = {name: setting(spec, name, parent) for name, row in method.parameters.items() if row.part == "parent"}
    return {"weight": spec.weights[parent], **own}


def shared_parameters(spec: MergeSpec) -> dict[str, Any]:
    """Mergekit's parameters that all parents share."""
    if spec.method == "slerp":
        return {"t": spec.weights[1]}
    parameters = METHODS[spec.method].parameters
    return {name: setting(spec, name, 0) for name, row in parameters.items() if row.part == "shared" and name != SEED}


def folder_reference(path: Path) -> Any:
    """A local folder as mergekit reads it; ``@`` and ``+`` would mean a revision and an adapter in plain text."""
    text = str(Path(path).absolute())
    return {"model": {"path": text}} if {"@", "+"} & set(text) else text
