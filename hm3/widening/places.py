"""Where the narrow model's heads and inner units stand in the wide one.

A place is a vector over an axis of the wide tensor: for each entry the narrow entry that stands there, or `NONE`.
What is none becomes zero, and zero queries, keys, values and units give nothing to the residual stream.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from hm3.widening.shape import Axis, Shape

NONE = -1


def places(narrow: Shape, wide: Shape) -> Mapping[Axis, Tensor]:
    """The place of each axis but the stream's; the narrow shape must have room in the wide one."""
    pairs = rotary_places(narrow.head_dim, wide.head_dim)
    query, key = _heads(narrow, wide)
    return {
        "query": _entries(query, pairs, narrow.head_dim),
        "key": _entries(key, pairs, narrow.head_dim),
        "head": pairs,
        "inner": torch.cat([torch.arange(narrow.inner), torch.full((wide.inner - narrow.inner,), NONE)]),
    }


def placed(tensor: Tensor, place: Tensor, axis: int) -> Tensor:
    """A narrow tensor at the wide size along one axis."""
    shape = [1] * tensor.ndim
    shape[axis] = len(place)
    return tensor.index_select(axis, place.clamp(min=0)).masked_fill_((place == NONE).view(shape), 0)


def copies(narrow: Shape, wide: Shape) -> int:
    """How often each narrow key and value head must stand in the wide model, whose groups may be smaller."""
    return math.ceil(narrow.group / wide.group)


def rotary_places(narrow: int, wide: int) -> Tensor:
    """Places within a head: of `wide / narrow` rotary pairs the first, which turns at the narrow one's speed.

    transformers turns entry i against entry i + d / 2, at base^(-2i / d).
    """
    place = torch.full((2, wide // 2), NONE)
    place[:, :: wide // narrow] = torch.arange(narrow).view(2, -1)
    return place.flatten()


def _heads(narrow: Shape, wide: Shape) -> tuple[Tensor, Tensor]:
    """(wide heads,) and (wide kv_heads,): a narrow group is cut into as many wide groups as it needs."""
    count = copies(narrow, wide)
    query, key = torch.full((wide.kv_heads, wide.group), NONE), torch.full((wide.kv_heads,), NONE)
    for head in range(narrow.heads):
        group, member = divmod(head, narrow.group)
        part, slot = divmod(member, wide.group)
        query[group * count + part, slot] = head
        key[group * count + part] = group
    return query.flatten(), key


def _entries(heads: Tensor, pairs: Tensor, head_dim: int) -> Tensor:
    """Places of heads and places within a head together."""
    entries = heads[:, None] * head_dim + pairs
    return entries.masked_fill((heads[:, None] == NONE) | (pairs == NONE), NONE).flatten()
