"""A source folder, opened: config, tensors by name, and the digest of its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from hm3.checkpoints.content import essentials, file_digest, tensors_digest
from hm3.checkpoints.links import check_links
from hm3.checkpoints.model_config import check_sizes, layer_count, read_config
from hm3.checkpoints.reading import RefusedError
from hm3.checkpoints.safetensors_header import Entry
from hm3.checkpoints.spelling import todays_names
from hm3.checkpoints.tokenizer_files import TEMPLATES, TOKENIZER_FILES, tokenizer_files
from hm3.checkpoints.weight_files import INDEX, largest_tensor, read_headers
from hm3.checkpoints.weights import Weights
from hm3.errors import CheckpointError
from hm3.recipe import MergeSpec, Source, digest_of

# Beside weights; some of it is exported.
READ = ("config.json", "generation_config.json", INDEX, *TOKENIZER_FILES, TEMPLATES)


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
        origin: Where it can be found again; None for what the parameter level made.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    depth: int
    files: Mapping[Path, Mapping[str, Entry]]
    merge: MergeSpec | None = None
    origin: str | None = None

    @classmethod
    def open(cls, name: str, path: Path, merge: MergeSpec | None = None, origin: str | None = None) -> Checkpoint:
        """Open the checkpoint in the folder `path`; reads config and headers only.

        Args:
            name: What people call it.
            path: Its folder.
            merge: How it was merged, if the parameter level made it.
            origin: Where it can be found again, if not as this folder.

        Raises:
            CheckpointError: It is missing, damaged, unsafe, or no checkpoint. The message is one line.
        """
        path = Path(path).expanduser()
        try:
            config = read_config(path)
            check_links([*(path / name for name in READ), *tokenizer_files(path)])
            files = read_headers(path)
            depth = layer_count(config, most=sum(map(len, files.values())))
            check_sizes(config, most=largest_tensor(files))
            todays_names(config["model_type"], [name for entries in files.values() for name in entries])
            if merge is None and origin is None:
                origin = str(path.absolute())
            return cls(name, path, config, depth, files, merge, origin)
        except RefusedError as refusal:
            raise CheckpointError(f"source {name} ({path}): {refusal}") from refusal
        except OSError as error:
            raise CheckpointError(f"source {name} ({path}): readable files, got {error.strerror}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Maps do not travel between processes: the other side opens the folder again."""
        return Checkpoint.open, (self.name, self.path, self.merge, self.origin)

    @property
    def model_type(self) -> str:
        """The family, as transformers names it."""
        return str(self.config["model_type"])

    @cached_property
    def weights(self) -> Weights:
        """Its tensors."""
        return Weights(f"source {self.name} ({self.path})", self.model_type, self.files)

    @property
    def tensors(self) -> Mapping[str, Entry]:
        """Every weight's dtype, shape and place, by the name that files of its family give it today."""
        return self.weights.tensors

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of all tensors, file by file."""
        return tuple(self.tensors)

    @property
    def dtype(self) -> torch.dtype:
        """The floating type that most of the weights have.

        Raises:
            CheckpointError: No weight is of a type that can be computed with.
        """
        return self.weights.dtype

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The files that make its tokenizer and chat template."""
        return tokenizer_files(self.path)

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
        return Source(self.name, self.digest, origin=self.origin)

    def tensor(self, name: str) -> torch.Tensor:
        """The tensor `name`, mapped from its file: do not write to it.

        Raises:
            CheckpointError: There is none.
        """
        return self.weights.mapped(name)

    def place(self, name: str) -> tuple[Path, Entry]:
        """The file that holds the tensor `name`, and what and where it is there.

        Raises:
            CheckpointError: There is none.
        """
        return self.weights.place(name)

    def read(self, name: str) -> torch.Tensor:
        """The tensor `name` in memory of its own, which goes with it; `tensor` keeps what was touched mapped.

        Raises:
            CheckpointError: There is none.
        """
        return self.weights.read(name)

    def read_rows(self, name: str, first: int, stop: int) -> torch.Tensor:
        """The rows [first, stop) of the tensor `name`, in memory of their own.

        Raises:
            CheckpointError: There is none.
        """
        return self.weights.read_rows(name, first, stop)
