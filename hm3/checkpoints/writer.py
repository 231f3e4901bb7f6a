"""A stream of tensors becomes a checkpoint folder that stock tools load."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hm3.checkpoints.atomic import in_bytes
from hm3.checkpoints.outgoing import Outgoing
from hm3.checkpoints.staging import Existing, staged_folder
from hm3.checkpoints.tokenizer_files import tokenizer_files
from hm3.checkpoints.weight_writer import write_weights

GENERATION = "generation_config.json"


def write_checkpoint(
    target: Path,
    config: Mapping[str, Any],
    tensors: Iterable[Outgoing],
    *,
    copy_from: Path,
    files: Mapping[str, str | bytes] | None = None,
    shard_bytes: int = 10**9,
    sources: Sequence[Path] = (),
    overwrite: bool = False,
) -> Path:
    """Write a checkpoint; at any moment `target` is whole or absent, and no tensor waits in memory.

    Args:
        target: The folder to be.
        config: Content of config.json.
        tensors: What the weight files hold, in the order in which it is copied or computed and fills them.
        copy_from: A folder whose tokenizer and generation settings are copied.
        files: More files: name -> content (recipe.json, README.md ...).
        shard_bytes: Most bytes of tensors in a weight file; a larger tensor gets a file of its own.
        sources: Folders that must not be touched.
        overwrite: Whether a target that HM3 wrote may be replaced.

    Returns:
        `target`.

    Raises:
        OutputError: The target must not or cannot be written, or a name comes twice.
        CheckpointError: A source cannot be read any more.
    """
    existing: Existing = "replace" if overwrite else "refuse"
    with staged_folder(target, existing=existing, sources=(copy_from, *sources)) as folder:
        fill_folder(folder, config, tensors, copy_from=copy_from, files=files or {}, shard_bytes=shard_bytes)
    return Path(target)


def fill_folder(
    folder: Path,
    config: Mapping[str, Any],
    tensors: Iterable[Outgoing],
    *,
    copy_from: Path,
    files: Mapping[str, str | bytes],
    shard_bytes: int = 10**9,
) -> None:
    """Write a checkpoint's files into a folder that is there; arguments as for `write_checkpoint`."""
    write_weights(folder, tensors, shard_bytes)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for file in (*tokenizer_files(copy_from), *copy_from.glob(GENERATION)):
        copy = folder / file.relative_to(copy_from)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)
    for name, content in files.items():
        (folder / name).write_bytes(in_bytes(content))
