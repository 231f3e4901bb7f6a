"""A merge becomes a checkpoint folder like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hm3.checkpoints import Checkpoint, fill_folder, staged_folder
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.pareto.kept import KeptTensors
from hm3.parameter.planning import mergekit_text, planned, read_sources
from hm3.parameter.watching import Watch, unwatched, watched
from hm3.recipe import MergeSpec, Source


def merge(
    spec: MergeSpec,
    paths: Mapping[str, Path],
    out: Path,
    *,
    overwrite: bool = False,
    kept: KeptTensors | None = None,
) -> Path:
    """Merge into the folder `out`, with config and tokenizer of the base (or the first parent).

    Beside the weights it has `merge.json`, the specification, and `mergekit.yaml`, for mergekit's own command.

    Args:
        spec: The merge.
        paths: Name of a source -> its folder.
        out: The folder to be; at any moment it is whole or absent.
        overwrite: Whether a folder that HM3 wrote may be replaced.
        kept: Where the tensors of Pareto Merging are; other methods need none.

    Returns:
        `out`.

    Raises:
        CheckpointError: A source cannot be used, or is not the one that the specification names.
        OutputError: `out` must not or cannot be written.
    """
    checkpoints = open_sources(spec, paths)
    folders = [checkpoint.path for checkpoint in checkpoints.values()]
    with staged_folder(out, existing="replace" if overwrite else "refuse", sources=folders) as folder:
        fill_merge(folder, spec, checkpoints, kept=kept)
    return Path(out)


def fill_merge(
    folder: Path,
    spec: MergeSpec,
    checkpoints: Mapping[str, Checkpoint],
    watch: Watch = unwatched,
    *,
    kept: KeptTensors | None = None,
) -> None:
    """Write the merge's files into a folder that is there.

    Args:
        folder: The folder.
        spec: The merge.
        checkpoints: Name of a source -> the source, for base and parents that are read.
        watch: Is shown every tensor when it is made.
        kept: Where the tensors of Pareto Merging are; other methods need none.

    Raises:
        CheckpointError: The sources don't go together, or what was trained is not there.
    """
    host = host_of(spec, checkpoints)
    config = merged_config(host)
    paths = {name: checkpoint.path for name, checkpoint in checkpoints.items()}
    files = {
        "merge.json": json.dumps(spec.to_json(), indent=2) + "\n",
        "mergekit.yaml": mergekit_text(spec, paths, dtype=config["dtype"]),
    }
    fill_folder(folder, config, watched(planned(spec, checkpoints, kept), watch), copy_from=host.path, files=files)


def host_of(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint]) -> Checkpoint:
    """The source that gives a merge its config and tokenizer: the base, or the first parent."""
    return checkpoints[(spec.base or spec.parents[0]).name]


def merged_config(host: Checkpoint) -> dict[str, Any]:
    """The config.json of a merge with this host."""
    config: dict[str, Any] = {**host.config, "dtype": str(host.dtype).removeprefix("torch.")}
    config.pop("torch_dtype", None)
    return config


def open_sources(spec: MergeSpec, paths: Mapping[str, Path]) -> dict[str, Checkpoint]:
    """The base and parents of a merge that it reads, opened, and checked to be the ones it names.

    Raises:
        ConfigurationError: A source has no path.
        CheckpointError: A source cannot be used, or has another content.
    """
    return {source.name: _open(source, paths) for source in read_sources(spec)}


def named_sources(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint]) -> dict[str, Checkpoint]:
    """The base and parents of a merge among open checkpoints, by name, checked to be the ones it names.

    Raises:
        ConfigurationError: A source isn't among them.
        CheckpointError: A source has another content.
    """
    for source in spec.sources:
        if source.name not in checkpoints:
            raise ConfigurationError(f"merge: every source among those that are open, got none named {source.name}")
    return {source.name: _checked(source, checkpoints[source.name]) for source in spec.sources}


def _open(source: Source, paths: Mapping[str, Path]) -> Checkpoint:
    if source.name not in paths:
        raise ConfigurationError(f"merge: a path for every source, got none for {source.name}")
    return _checked(source, Checkpoint.open(source.name, paths[source.name], source.merge))


def _checked(source: Source, checkpoint: Checkpoint) -> Checkpoint:
    if checkpoint.source.digest != source.digest:
        raise CheckpointError(
            f"source {source.name} ({checkpoint.path}): the content that the merge names, {source.digest[:12]}, "
            f"got {checkpoint.digest[:12]}"
        )
    return checkpoint
