"""Projections that read the same input stand one below the other, so that one product serves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from hm3.layers.conditioned import ConditionedTerm


def joined(tensors: Mapping[str, Tensor], names: Iterable[str]) -> tuple[Tensor, Tensor | None]:
    """Weights and biases of projections, one below the other; a single one is not copied."""
    weights = [tensors[f"{name}.weight"] for name in names]
    biases = [tensors[f"{name}.bias"] for name in names if f"{name}.bias" in tensors]
    return _stacked(weights), _stacked(biases) if biases else None


def joined_terms(
    terms: Mapping[str, ConditionedTerm], names: Iterable[str], rows: Sequence[int]
) -> ConditionedTerm | None:
    """The term of what `joined` makes of projections with so many rows; None where none of them has one."""
    return ConditionedTerm.below([terms.get(f"{name}.weight") for name in names], rows)


def parted(
    names: Sequence[str], rows: Sequence[int], weight: Tensor, bias: Tensor | None
) -> Iterator[tuple[str, Tensor]]:
    """What `joined` was given, by name: views."""
    yield from zip([f"{name}.weight" for name in names], torch.split(weight, list(rows)), strict=True)
    if bias is not None:
        yield from zip([f"{name}.bias" for name in names], torch.split(bias, list(rows)), strict=True)


def _stacked(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)
