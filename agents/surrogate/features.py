"""Stacks as numbers: which sources are at work at each index of a layer, and where the order is not the natural one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from agents.moves import Stack
from envs.space import Ints, StackSpace
from hm3.objectives import Array

ENDS = 2  # places that are no layers: the embedding's host, the head's


@dataclass(frozen=True)
class Features:
    """N stacks over S sources of at most L layers.

    Attributes:
        uses: (N, L + 2, S) how often layer l of source s is used; then whose embedding it is, and whose head.
        jumps: (N, (L + 1)^2) how often layer j follows on layer i though it is not the next; ends count, too.
    """

    uses: Tensor
    jumps: Tensor


def features(space: StackSpace, stacks: Sequence[Stack]) -> Features:
    """The features of stacks (layer actions and host number, as `StackSpace.encode` gives them)."""
    depth = space.layers
    uses = np.zeros((len(stacks), depth + ENDS, space.sources))
    jumps = np.zeros((len(stacks), (depth + 1) ** 2))
    for row, (layers, host) in enumerate(stacks):
        numbers, indices = np.divmod(np.asarray(layers), depth)
        np.add.at(uses[row], (indices, numbers), 1.0)
        uses[row, depth:, :] += _hosts(numbers, host, space.sources)
        np.add.at(jumps[row], _jumps(indices.tolist(), depth), 1.0)
    return Features(torch.from_numpy(uses), torch.from_numpy(jumps))


def _hosts(numbers: Ints, host: int, sources: int) -> Array:
    first, last = (host - 1, host - 1) if host else (numbers[0], numbers[-1])
    hosts: Array = np.eye(sources)[[first, last]]
    return hosts


def _jumps(indices: Sequence[int], depth: int) -> list[int]:
    """Numbers of the pairs that are out of order."""
    path = [-1, *indices, depth]
    return [(before + 1) * (depth + 1) + after for before, after in pairwise(path) if after != before + 1]
