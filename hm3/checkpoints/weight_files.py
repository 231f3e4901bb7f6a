"""Which files of a folder hold its weights, and which tensor lies in which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from hm3.checkpoints.reading import RefusedError, read_json
from hm3.checkpoints.safetensors_header import Entry, read_header

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")


def read_headers(folder: Path) -> dict[Path, dict[str, Entry]]:
    """Weight file -> its tensors, every file checked; transformers' own order of choice.

    Raises:
        RefusedError: No safetensors weights, an index that does not fit its files, or a damaged file.
    """
    if (folder / SINGLE).exists():
        return {folder / SINGLE: read_header(folder / SINGLE)}
    if not (folder / INDEX).exists():
        raise RefusedError(_without_weights(folder))
    listed = _read_index(folder)
    headers = {folder / shard: read_header(folder / shard) for shard in sorted(set(listed.values()))}
    _check_index(folder, listed, headers)
    return headers


def largest_tensor(files: Mapping[Path, Mapping[str, Entry]]) -> int:
    """The number of elements of the largest tensor."""
    return max((math.prod(entry.shape) for entries in files.values() for entry in entries.values()), default=0)


def _without_weights(folder: Path) -> str:
    names = sorted(file.name for file in folder.iterdir())
    pickles = [name for name in names if name.endswith(PICKLES)]
    if "adapter_config.json" in names:
        return f"weights: {SINGLE} or {INDEX}, got an adapter: merge it into its base first"
    if pickles:
        return f"weights: safetensors, got pickles, which can run code ({pickles[0]}): convert them first"
    if any(name.endswith(".safetensors") for name in names):
        return f"weights: {SINGLE} or {INDEX}, got shards without an index"
    return f"weights: {SINGLE} or {INDEX}, got neither"


def _read_index(folder: Path) -> Mapping[str, str]:
    listed = read_json(folder / INDEX).get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise RefusedError(f"{INDEX}: a weight_map with tensors, got {str(listed)[:80]}")
    for shard in set(map(str, listed.values())):
        if PurePosixPath(shard).name != shard or "\\" in shard or not shard.endswith(".safetensors"):
            raise RefusedError(f"{INDEX}: safetensors files of this folder, got {shard!r}")
        if not (folder / shard).is_file():
            raise RefusedError(f"{INDEX}: every file it lists, got no {shard}")
    return listed


def _check_index(folder: Path, listed: Mapping[str, str], headers: Mapping[Path, Mapping[str, Entry]]) -> None:
    for name, shard in listed.items():
        if name not in headers[folder / shard]:
            raise RefusedError(f"{shard}: the tensor {name!r} that the index lists, got none")
    owner: dict[str, Path] = {}
    for file, entries in headers.items():
        for name in entries:
            if owner.setdefault(name, file) != file:
                raise RefusedError(f"{file.name}: every tensor in one file, got {name!r} also in {owner[name].name}")
