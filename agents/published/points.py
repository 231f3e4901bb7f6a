"""Where discrete actions lie for a policy that acts in a continuous space."""

from __future__ import annotations

import numpy as np

from envs.space import Bools, Ints, StackSpace
from hm3.objectives import Array


def points(space: StackSpace) -> Array:
    """(actions, 2) the pair of source and layer of each action, both scaled to [-1, 1].

    The HM3 paper names no distance space; its action is this pair. What it has no actions for comes where it stands
    in a model: hosts (embeddings) just before layer 0 of their source, *stop* just after the last layer, between the
    sources.
    """
    sources = np.linspace(-1.0, 1.0, space.sources) if space.sources > 1 else np.zeros(1)
    heights = np.linspace(-1.0, 1.0, space.layers + 2)
    layers = np.stack(np.meshgrid(sources, heights[1:-1], indexing="ij"), axis=-1).reshape(-1, 2)
    hosts = np.stack([sources, np.full(space.sources, heights[0])], axis=1)
    return np.concatenate([layers, [[0.0, heights[-1]]], hosts])


def nearest(protos: Array, among: Array, legal: Bools, count: int) -> tuple[Ints, Bools]:
    """The legal actions nearest to proto-actions, by Euclidean distance; of equally near ones the lower number.

    Args:
        protos: (M, D).
        among: (actions, D) the actions' points.
        legal: (M, actions) at least one in each row.
        count: How many, k.

    Returns:
        (M, k) actions, nearest first, and which of these exist: where fewer are legal, the nearest stands again.
    """
    distances = np.linalg.norm(protos[:, None] - among, axis=-1)
    distances[~legal] = np.inf
    found = np.argsort(distances, axis=1, kind="stable")[:, :count]
    exist = np.take_along_axis(legal, found, axis=1)
    return np.where(exist, found, found[:, :1]), exist
