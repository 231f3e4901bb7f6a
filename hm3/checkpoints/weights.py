"""The tensors of a folder's weight files, by the names that their family gives them today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from hm3.checkpoints.safetensors_header import Entry
from hm3.checkpoints.spelling import todays_names
from hm3.errors import CheckpointError

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of a source, in files whose headers were checked.

    Attributes:
        owner: Whose they are, for messages.
        model_type: The family.
        files: Weight file -> what it holds, tensor by tensor.
    """

    owner: str
    model_type: str
    files: Mapping[Path, Mapping[str, Entry]]

    @cached_property
    def tensors(self) -> Mapping[str, Entry]:
        """Every weight's dtype, shape and place, by its name."""
        found = {name: entry for entries in self.files.values() for name, entry in entries.items()}
        return {name: found[stored] for name, stored in self._spelled.items()}

    @cached_property
    def dtype(self) -> torch.dtype:
        """The floating type that most of them have.

        Raises:
            CheckpointError: None is of a type that can be computed with.
        """
        count: Counter[str] = Counter()
        for entry in self.tensors.values():
            count[entry.dtype] += entry.stop - entry.start
        floating = [dtype for dtype, _ in count.most_common() if dtype in DTYPES]
        if not floating:
            raise CheckpointError(f"{self.owner}: weights of type {', '.join(DTYPES)}, got {', '.join(count)}")
        return DTYPES[floating[0]]

    def place(self, name: str) -> tuple[Path, Entry]:
        """The file that holds a tensor, and what and where it is there."""
        if name not in self._spelled:
            raise CheckpointError(f"{self.owner}: a tensor {name!r}, got none")
        return self._files[self._spelled[name]], self.tensors[name]

    def mapped(self, name: str) -> torch.Tensor:
        """A tensor, mapped from its file."""
        result: torch.Tensor = self._map(self.place(name)[0]).get_tensor(self._spelled[name])
        return result

    def read(self, name: str) -> torch.Tensor:
        """A tensor in memory of its own."""
        file, _ = self.place(name)
        with safe_open(file, framework="pt", backend="pread") as stream:
            result: torch.Tensor = stream.get_tensor(self._spelled[name])
        return result

    def read_rows(self, name: str, first: int, stop: int) -> torch.Tensor:
        """The rows [first, stop) of a tensor, in memory of their own."""
        file, _ = self.place(name)
        with safe_open(file, framework="pt") as stream:  # mapped until here: `pread` would read all rows
            rows: torch.Tensor = stream.get_slice(self._spelled[name])[first:stop].clone()
        return rows

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {name: file for file, entries in self.files.items() for name in entries}

    @cached_property
    def _spelled(self) -> dict[str, str]:
        """Today's name of a tensor -> its name in the file."""
        return todays_names(self.model_type, self._files)

    @cached_property
    def _maps(self) -> dict[Path, Any]:
        return {}

    def _map(self, file: Path) -> Any:
        if file not in self._maps:
            self._maps[file] = safe_open(file, framework="pt")
        return self._maps[file]
