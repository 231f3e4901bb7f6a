"""Terms as named arrays, as files keep them: ``MATRIX.left``, ``MATRIX.core``, ``MATRIX.right``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hm3.parameter.pareto.tensor import Term

_PARTS = ("left", "core", "right")


def term_arrays(terms: Mapping[str, Term]) -> dict[str, NDArray[Any]]:
    """The arrays of some terms; they share memory with them where they can."""
    return {
        f"{name}.{part}": getattr(term, part).detach().cpu().numpy() for name, term in terms.items() for part in _PARTS
    }


def terms_of(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Term]:
    """The terms that `term_arrays` made arrays of, sorted by name.

    Raises:
        ValueError: The arrays are no terms: a part is missing, or shapes or types don't go together.
    """
    names = sorted({key.rpartition(".")[0] for key in arrays})
    if set(arrays) != {f"{name}.{part}" for name in names for part in _PARTS}:
        raise ValueError("a matrix without all of its factors")
    return {name: _term(name, *(arrays[f"{name}.{part}"] for part in _PARTS)) for name in names}


def _term(name: str, left: NDArray[Any], core: NDArray[Any], right: NDArray[Any]) -> Term:
    ranks = (left.shape[1:], core.shape[:1], core.shape[1:2], right.shape[1:])
    if core.ndim != 3 or len(set(ranks)) > 1 or any(part.dtype != np.float32 for part in (left, core, right)):
        raise ValueError(f"factors of {name} of {left.shape}, {core.shape} and {right.shape}")
    return Term(*(torch.from_numpy(part.copy()) for part in (left, core, right)))
