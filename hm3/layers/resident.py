"""What stays in memory, under a byte budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Part = tuple[str, str | int]  # (digest of a source or of factors, layer index or "embedding" or "ending")


class Resident:
    """Parts of sources that have been read; the least recently used go first.

    Args:
        budget: Bytes that may stay, or None for all; the part that was read last stays in any case.
    """

    def __init__(self, budget: int | None) -> None:
        self.bytes = 0
        self._budget = budget
        self._parts: OrderedDict[Part, tuple[Any, int]] = OrderedDict()

    def __iter__(self) -> Iterator[Part]:
        """Least recently used first."""
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def size(self, part: Part) -> int:
        """Bytes of a part that is here."""
        return self._parts[part][1]

    def get(self, part: Part, read: Callable[[], Any]) -> Any:
        """A part; it is read if it is not here."""
        if part in self._parts:
            self._parts.move_to_end(part)
            return self._parts[part][0]
        with torch.inference_mode(False):  # whoever reads them first: others may run them in another mode
            value = read()
        size = _bytes_of(value)
        self._parts[part] = (value, size)
        self.bytes += size
        while self._budget is not None and self.bytes > self._budget and len(self._parts) > 1:
            self._forget(next(iter(self._parts)))
        return value

    def drop(self, source: str) -> None:
        """Forget all parts of a source."""
        for part in [part for part in self._parts if part[0] == source]:
            self._forget(part)

    def _forget(self, part: Part) -> None:
        _, size = self._parts.pop(part)
        self.bytes -= size


def _bytes_of(value: Any) -> int:
    """Of a tensor, a tuple of such values, or whatever can list its tensors."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    parts = value if isinstance(value, tuple) else value.tensors().values()
    return sum(_bytes_of(part) for part in parts)
