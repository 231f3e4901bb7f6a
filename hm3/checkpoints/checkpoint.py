"""A source folder, opened: config, tensors by name, and the digest of its content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from hm3.checkpoints.content import essentials, file_digest, tensors_digest
from hm3.checkpoints.model_config import layer_count, read_config
from hm3.checkpoints.reading import RefusedError
from hm3.checkpoints.safetensors_header import Entry
from hm3.checkpoints.weight_files import read_headers
from hm3.errors import CheckpointError
from hm3.recipe import MergeSpec, Source, digest_of

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
)
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint that may be used: every file was checked, nothing of it was executed.

    Attributes:
        name: What people call it.
        path: Its folder.
        config: Its config.json.
        depth: Number of layers.
        files: Weight file -> what it holds, tensor by tensor.
        merge: How it was merged, if the parameter level made it.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    depth: int
    files: Mapping[Path, Mapping[str, Entry]]
    merge: MergeSpec | None = None

    @classmethod
    def open(cls, name: str, path: Path, merge: MergeSpec | None = None) -> Checkpoint:
        """Open the checkpoint in the folder `path`; reads config and headers only.

        Raises:
            CheckpointError: It is missing, damaged, unsafe, or no checkpoint. The message is one line.
        """
        path = Path(path).expanduser()
        try:
            config = read_config(path)
            files = read_headers(path)
            depth = layer_count(config, most=sum(map(len, files.values())))
            return cls(name, path, config, depth, files, merge)
        except RefusedError as refusal:
            raise CheckpointError(f"source {name} ({path}): {refusal}") from refusal
        except OSError as error:
            raise CheckpointError(f"source {name} ({path}): readable files, got {error.strerror}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Maps do not travel between processes: the other side opens the folder again."""
        return Checkpoint.open, (self.name, self.path, self.merge)

    @property
    def model_type(self) -> str:
        """The family, as transformers names it."""
        return str(self.config["model_type"])

    @cached_property
    def tensors(self) -> Mapping[str, Entry]:
        """Every tensor's dtype, shape and place, by name."""
        return {name: entry for entries in self.files.values() for name, entry in entries.items()}

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of all tensors, file by file."""
        return tuple(self.tensors)

    @cached_property
    def dtype(self) -> torch.dtype:
        """The floating type that most of the weights have.

        Raises:
            CheckpointError: No weight is of a type that can be computed with.
        """
        count: Counter[str] = Counter()
        for entry in self.tensors.values():
            count[entry.dtype] += entry.stop - entry.start
        floating = [dtype for dtype, _ in count.most_common() if dtype in DTYPES]
        if not floating:
            raise CheckpointError(f"source {self.name}: weights of type {', '.join(DTYPES)}, got {', '.join(count)}")
        return DTYPES[floating[0]]

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The files that make its tokenizer and chat template."""
        return tuple(self.path / name for name in TOKENIZER_FILES if (self.path / name).is_file())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the model computes: config, weights and tokenizer, not names, paths or shards.

        Reads every byte once per process and state of the files.

        Raises:
            CheckpointError: A file cannot be read.
        """
        try:
            tokenizer = {file.name: file_digest(file) for file in self.tokenizer_files}
            return digest_of([essentials(self.config), tensors_digest(self.files), tokenizer])
        except OSError as error:
            raise CheckpointError(f"source {self.name} ({self.path}): readable files, got {error.strerror}") from error

    @property
    def source(self) -> Source:
        """What recipes call it; a merged source is known by its specification."""
        if self.merge is not None:
            return Source.merged(self.name, self.merge)
        return Source(self.name, self.digest)

    def tensor(self, name: str) -> torch.Tensor:
        """The tensor `name`, mapped from its file: do not write to it.

        Raises:
            CheckpointError: There is none.
        """
        if name not in self._owners:
            raise CheckpointError(f"source {self.name} ({self.path}): a tensor {name!r}, got none")
        result: torch.Tensor = self._map(self._owners[name]).get_tensor(name)
        return result

    @cached_property
    def _owners(self) -> dict[str, Path]:
        return {name: file for file, entries in self.files.items() for name in entries}

    @cached_property
    def _maps(self) -> dict[Path, Any]:
        return {}

    def _map(self, file: Path) -> Any:
        if file not in self._maps:
            self._maps[file] = safe_open(file, framework="pt")
        return self._maps[file]
