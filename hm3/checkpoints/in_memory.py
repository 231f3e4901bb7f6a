"""A source whose weights no folder holds: they are made in memory, and each goes to the first that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from hm3.checkpoints.dtypes import TORCH_DTYPES
from hm3.checkpoints.safetensors_header import Entry
from hm3.checkpoints.tokenizer_files import tokenizer_files
from hm3.errors import CheckpointError
from hm3.recipe import MergeSpec, Source


@dataclass(frozen=True, eq=False)
class InMemoryModel:
    """A merged model in memory.

    A tensor that was asked for is held here no longer, so that packing a model needs no second copy of it. Who asks
    again has all tensors made again. To another process the model travels with its weights, as bytes: no file, no
    descriptor and no shared memory is left behind, however either process ends.

    Attributes:
        name: What people call it.
        path: A folder with its tokenizer and generation settings.
        config: Its config.json.
        depth: Number of layers.
        dtype: The floating type that most of the weights have.
        tensors: Every weight's dtype, shape and size in bytes.
        merge: How it was merged.
        make: Makes all tensors, by name; the same bits every time.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    depth: int
    dtype: torch.dtype
    tensors: Mapping[str, Entry]
    merge: MergeSpec
    make: Callable[[], Mapping[str, Tensor]] = field(repr=False)
    _held: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def source(self) -> Source:
        """What recipes call it."""
        return Source.merged(self.name, self.merge)

    @property
    def model_type(self) -> str:
        """The family, as transformers names it."""
        return str(self.config["model_type"])

    @property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of all tensors."""
        return tuple(self.tensors)

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The files that make its tokenizer and chat template."""
        return tokenizer_files(self.path)

    @property
    def held(self) -> int:
        """Bytes of the tensors that are held here."""
        return sum(tensor.nbytes for tensor in self._held.values())

    def hold(self) -> None:
        """Make all tensors, unless all are held."""
        if len(self._held) < len(self.tensors):
            self._held.clear()
            self._held.update(self.make())

    def tensor(self, name: str) -> Tensor:
        """The tensor `name`, handed over.

        Raises:
            CheckpointError: There is none.
        """
        if name not in self.tensors:
            raise CheckpointError(f"source {self.name}: a tensor {name!r}, got none")
        if name not in self._held:
            self.hold()
        return self._held.pop(name)

    def __reduce__(self) -> tuple[Any, ...]:
        """It travels with its weights."""
        self.hold()
        about = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("make", "_held")}
        return _arrived, (about, {name: _bytes_of(tensor) for name, tensor in self._held.items()})


def _arrived(about: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]) -> InMemoryModel:
    """The model in another process."""
    model = InMemoryModel(**about, make=_gone)
    model._held.update({name: _tensor_of(weights[name], entry) for name, entry in model.tensors.items()})
    return model


def _gone() -> Mapping[str, Tensor]:
    raise CheckpointError("merged source: weights that are asked for once, got asked again")


def _bytes_of(tensor: Tensor) -> NDArray[Any]:
    """NumPy has no bfloat16."""
    flat: NDArray[Any] = tensor.contiguous().flatten().view(torch.uint8).numpy()
    return flat


def _tensor_of(flat: NDArray[Any], entry: Entry) -> Tensor:
    return torch.from_numpy(flat).view(TORCH_DTYPES[entry.dtype]).reshape(entry.shape)
