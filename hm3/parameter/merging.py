"""A merge becomes a checkpoint folder like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hm3.checkpoints import Checkpoint, fill_folder, staged_folder
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.arithmetic import planned_tensors
from hm3.parameter.configuration import configuration_text
from hm3.recipe import MergeSpec, Source


def merge(spec: MergeSpec, paths: Mapping[str, Path], out: Path, *, overwrite: bool = False) -> Path:
    """Merge into the folder `out`, with config and tokenizer of the base (or the first parent).

    Beside the weights it has `merge.json`, the specification, and `mergekit.yaml`, for mergekit's own command.

    Args:
        spec: The merge.
        paths: Name of a source -> its folder.
        out: The folder to be; at any moment it is whole or absent.
        overwrite: Whether a folder that HM3 wrote may be replaced.

    Returns:
        `out`.

    Raises:
        CheckpointError: A source cannot be used, or is not the one that the specification names.
        OutputError: `out` must not or cannot be written.
    """
    checkpoints = open_sources(spec, paths)
    folders = [checkpoint.path for checkpoint in checkpoints.values()]
    with staged_folder(out, existing="replace" if overwrite else "refuse", sources=folders) as folder:
        fill_merge(folder, spec, checkpoints)
    return Path(out)


def fill_merge(folder: Path, spec: MergeSpec, checkpoints: Mapping[str, Checkpoint]) -> None:
    """Write the merge's files into a folder that is there."""
    host = checkpoints[(spec.base or spec.parents[0]).name]
    dtype = str(host.dtype).removeprefix("torch.")
    config: dict[str, Any] = {**host.config, "dtype": dtype}
    config.pop("torch_dtype", None)
    paths = {name: checkpoint.path for name, checkpoint in checkpoints.items()}
    files = {
        "merge.json": json.dumps(spec.to_json(), indent=2) + "\n",
        "mergekit.yaml": configuration_text(spec, paths, dtype=dtype),
    }
    tensors = planned_tensors(spec, checkpoints, dtype=host.dtype)
    fill_folder(folder, config, tensors, copy_from=host.path, files=files)


def open_sources(spec: MergeSpec, paths: Mapping[str, Path]) -> dict[str, Checkpoint]:
    """The base and parents of a merge, opened, and checked to be the ones it names.

    Raises:
        ConfigurationError: A source has no path.
        CheckpointError: A source cannot be used, or has another content.
    """
    sources: tuple[Source, ...] = (spec.base, *spec.parents) if spec.base else spec.parents
    return {source.name: _open(source, paths) for source in sources}


def _open(source: Source, paths: Mapping[str, Path]) -> Checkpoint:
    if source.name not in paths:
        raise ConfigurationError(f"merge: a path for every source, got none for {source.name}")
    checkpoint = Checkpoint.open(source.name, paths[source.name], source.merge)
    if checkpoint.source.digest != source.digest:
        raise CheckpointError(
            f"source {source.name} ({checkpoint.path}): the content that the merge names, {source.digest[:12]}, "
            f"got {checkpoint.digest[:12]}"
        )
    return checkpoint
