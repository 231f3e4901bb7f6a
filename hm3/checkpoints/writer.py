"""A stream of tensors becomes a checkpoint folder that stock tools load."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from hm3.checkpoints.checkpoint import TOKENIZER_FILES
from hm3.checkpoints.staging import Existing, staged_folder
from hm3.checkpoints.weight_files import INDEX, SINGLE
from hm3.errors import OutputError

COPIED = (*TOKENIZER_FILES, "generation_config.json")
Named = tuple[str, Tensor]


def write_checkpoint(
    target: Path,
    config: Mapping[str, Any],
    tensors: Iterable[Named],
    *,
    copy_from: Path,
    files: Mapping[str, str | bytes] | None = None,
    shard_bytes: int = 10**9,
    sources: Sequence[Path] = (),
    overwrite: bool = False,
) -> Path:
    """Write a checkpoint; at any moment `target` is whole or absent, and at most one shard waits in memory.

    Args:
        target: The folder to be.
        config: Content of config.json.
        tensors: Name and tensor, in the order of the file; tensors that share memory are written apart.
        copy_from: A folder whose tokenizer and generation settings are copied.
        files: More files: name -> content (recipe.json, README.md ...).
        shard_bytes: Upper limit of a weight file, in bytes; a larger tensor gets a file of its own.
        sources: Folders that must not be touched.
        overwrite: Whether a target that HM3 wrote may be replaced.

    Returns:
        `target`.

    Raises:
        OutputError: The target must not or cannot be written, or a name comes twice.
    """
    existing: Existing = "replace" if overwrite else "refuse"
    with staged_folder(target, existing=existing, sources=(copy_from, *sources)) as folder:
        fill_folder(folder, config, tensors, copy_from=copy_from, files=files or {}, shard_bytes=shard_bytes)
    return Path(target)


def fill_folder(
    folder: Path,
    config: Mapping[str, Any],
    tensors: Iterable[Named],
    *,
    copy_from: Path,
    files: Mapping[str, str | bytes],
    shard_bytes: int = 10**9,
) -> None:
    """Write a checkpoint's files into a folder that is there; arguments as for `write_checkpoint`."""
    _write_weights(folder, tensors, shard_bytes)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in COPIED:
        if (copy_from / name).is_file():
            shutil.copyfile(copy_from / name, folder / name)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def _write_weights(folder: Path, tensors: Iterable[Named], shard_bytes: int) -> None:
    shards: list[list[str]] = []
    total = 0
    for shard in _shards(tensors, shard_bytes):
        total += sum(tensor.nbytes for tensor in shard.values())
        _save(shard, _part(folder, len(shards)))
        shards.append(list(shard))
    if not shards:
        raise OutputError("output: at least one tensor, got none")
    if len(shards) == 1:
        _part(folder, 0).rename(folder / SINGLE)
        return
    owner: dict[str, str] = {}
    for number, names in enumerate(shards):
        file = f"model-{number + 1:05d}-of-{len(shards):05d}.safetensors"
        _part(folder, number).rename(folder / file)
        owner |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": total}, "weight_map": owner}
    (folder / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number}"


def _shards(tensors: Iterable[Named], shard_bytes: int) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    names: set[str] = set()
    size = 0
    for name, tensor in tensors:
        if name in names:
            raise OutputError(f"output: every tensor once, got {name!r} twice")
        if shard and size + tensor.nbytes > shard_bytes:
            yield shard
            shard, size = {}, 0
        shard[name] = tensor
        names.add(name)
        size += tensor.nbytes
    if shard:
        yield shard


def _save(shard: Mapping[str, Tensor], file: Path) -> None:
    try:
        save_file(_apart(shard), file, metadata={"format": "pt"})
    except SafetensorError as error:
        raise OutputError(f"output {file.parent}: must be writable, got {str(error).splitlines()[0]}") from error


def _apart(shard: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, contiguous, none in another's memory."""
    seen: set[int] = set()
    apart: dict[str, Tensor] = {}
    for name, tensor in shard.items():
        plain = tensor.detach().cpu().contiguous()
        place = plain.untyped_storage().data_ptr()
        apart[name] = plain.clone() if place in seen else plain
        seen.add(place)
    return apart
