"""A merge as mergekit's YAML, for people who want to run it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hm3.parameter.methods import METHODS, SEED
from hm3.parameter.specification import setting
from hm3.recipe import MergeSpec


def configuration(spec: MergeSpec, paths: Mapping[str, Path], *, dtype: str = "bfloat16") -> dict[str, Any]:
    """What ``mergekit-yaml`` reads, as data; the seed of random methods is its option ``--random-seed``.

    Args:
        spec: The merge.
        paths: Name of a source -> its folder.
        dtype: Type of arithmetic and result, as torch names it.
    """
    names = (source.name for source in spec.sources)
    return merge_document(spec, {name: folder_reference(paths[name]) for name in names}, dtype=dtype)


def merge_document(spec: MergeSpec, models: Mapping[str, Any], *, dtype: str) -> dict[str, Any]:
    """`configuration` for models wherever they are.

    `base_model` is always stated: without it mergekit takes config and tokenizer from an element of a set, which
    differs from run to run.

    Args:
        spec: The merge.
        models: Name of a source -> what mergekit calls it.
        dtype: Type of arithmetic and result, as torch names it.
    """
    host = (spec.parents[0] if spec.method == "slerp" else spec.base) or spec.parents[0]
    merged = [
        {"model": models[parent.name], "parameters": parent_parameters(spec, index)}
        for index, parent in enumerate(spec.parents)
    ]
    if spec.method == "linear" and host not in spec.parents:
        merged.append({"model": models[host.name], "parameters": {"weight": 0.0}})
    data = {
        "merge_method": spec.method,
        "base_model": models[host.name],
        "dtype": dtype,
        "models": [model if model["parameters"] else {"model": model["model"]} for model in merged],
        "parameters": shared_parameters(spec),
    }
    return {key: value for key, value in data.items() if value}


def configuration_text(spec: MergeSpec, paths: Mapping[str, Path], *, dtype: str) -> str:
    """`configuration` as YAML with the line that runs it."""
    seed = f" --random-seed {dict(spec.settings)[SEED]}" if METHODS[spec.method].random else ""
    text: str = yaml.safe_dump(configuration(spec, paths, dtype=dtype), sort_keys=False)
    return f"# mergekit-yaml mergekit.yaml OUT{seed}\n{text}"


def parent_parameters(spec: MergeSpec, parent: int) -> dict[str, Any]:
    """Mergekit's parameters of the parent at index `parent`."""
    if spec.method in ("slerp", "model_stock"):
        return {}
    parameters = METHODS[spec.method].parameters
    own = {name: setting(spec, name, parent) for name, row in parameters.items() if row.part == "parent"}
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
