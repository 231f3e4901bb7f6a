"""What running out of memory looks like."""

from __future__ import annotations

import torch

# CPU allocators raise a plain RuntimeError; cuBLAS and some accelerators have words of their own.
_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)
