"""Stacks as sets of what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from agents.moves import Stack
from envs.space import StackSpace


@dataclass(frozen=True)
class Features:
    """N stacks, a row each, of length 1.

    Attributes:
        layers: (N, V) which layers they have; the second use of a layer is another one.
        neighbours: (N, W) which layers meet, the hosts at both ends included.
    """

    layers: csr_matrix
    neighbours: csr_matrix

    def shared(self, others: Features) -> tuple[Tensor, Tensor]:
        """Two (N, M) matrices from 0 to 1: the share of layers, and of neighbours, that stacks have in common."""
        return _products(self.layers, others.layers), _products(self.neighbours, others.neighbours)


def features(space: StackSpace, stacks: Sequence[Stack]) -> Features:
    """The features of stacks (layer actions and host number, as `StackSpace.encode` gives them)."""
    tokens = space.stop + 2 * space.sources
    used = [list(_numbered(layers, space.stop)) for layers, _ in stacks]
    met = [sorted({before * tokens + after for before, after in _pairs(space, stack)}) for stack in stacks]
    return Features(_rows(used, space.stop * space.rules.max_depth), _rows(met, tokens**2))


def _numbered(layers: Iterable[int], actions: int) -> Iterable[int]:
    """Each layer with the number of its uses before."""
    uses: dict[int, int] = {}
    for layer in layers:
        uses[layer] = uses.get(layer, -1) + 1
        yield uses[layer] * actions + layer


def _pairs(space: StackSpace, stack: Stack) -> Iterable[tuple[int, int]]:
    layers, host = stack
    first, last = (host - 1, host - 1) if host else (layers[0] // space.layers, layers[-1] // space.layers)
    path = [space.stop + first, *layers, space.stop + space.sources + last]
    return pairwise(path)


def _rows(columns: Sequence[Sequence[int]], width: int) -> csr_matrix:
    lengths = np.array([len(each) for each in columns])
    indices = np.concatenate([np.asarray(each, dtype=np.int64) for each in columns])
    values = np.repeat(lengths**-0.5, lengths)
    return csr_matrix((values, indices, np.concatenate([[0], lengths.cumsum()])), shape=(len(columns), width))


def _products(ours: csr_matrix, theirs: csr_matrix) -> Tensor:
    return torch.from_numpy((ours @ theirs.T).toarray())
