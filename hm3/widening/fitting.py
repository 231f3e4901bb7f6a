"""The map between two residual streams, fitted on what both models compute on the same tokens.

Each state counts by its direction, for that is all that a norm lets a layer see; otherwise the deepest layers, whose
states are the largest, would decide alone. Nothing is centred: a stream can be turned, but no stock layer can shift it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.widening.room import check_room
from hm3.widening.states import CPU, Rows, residual_streams
from hm3.widening.stream_map import StreamMap, procrustes


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted map, and how well it fits the tokens that it was fitted on.

    Attributes:
        map: The map.
        cosines: At each boundary of the narrow model, first to last: mean cosine between a carried narrow state and
            the wide one. 1 is the same state.
        seen: There too: mean share of a wide state's length that narrow layers see. 1 is all of it.
        tokens: How many it was fitted on.
    """

    map: StreamMap
    cosines: tuple[float, ...]
    seen: tuple[float, ...]
    tokens: int

    @property
    def corrected(self) -> StreamMap:
        """The map with gains that make up for what narrow layers don't see of a wide stream.

        An RMSNorm divides by the length of all of a wide state, where the narrow model would divide by that of its own
        part. The gains correct the mean of this, and are wrong after a narrow layer: then the state has no other part.
        """
        return replace(self.map, gains=tuple(1 / share for share in self.seen))


def fit(narrow: Checkpoint, wide: Checkpoint, rows: Rows, device: torch.device = CPU) -> Fit:
    """Fit the map by orthogonal Procrustes, over all depths at once; depths are matched in proportion.

    Args:
        narrow: The narrow source.
        wide: The source whose shape it is to have.
        rows: Token ids that both read alike. Never from a test split: the map becomes part of the model.
        device: Where the models run, both of them twice.

    Raises:
        CheckpointError: The narrow source has no room in the wide one, or there are too few tokens.
    """
    check_room(narrow, wide)
    tokens = sum(map(len, rows))
    width = int(narrow.config["hidden_size"])
    if tokens < width:
        raise CheckpointError(f"source {narrow.name}: at least {width} tokens to fit its width, got {tokens}")
    covariance = sum(large.T @ small for small, large in _directions(narrow, wide, rows, device))
    assert isinstance(covariance, Tensor)
    basis = procrustes(covariance)
    fitted = StreamMap(basis, (1.0,) * (narrow.depth + 1))
    qualities = [_quality(basis, small, large) for small, large in _directions(narrow, wide, rows, device)]
    cosines, seen = zip(*qualities, strict=True)
    return Fit(fitted, cosines, seen, tokens)


def _directions(
    narrow: Checkpoint, wide: Checkpoint, rows: Rows, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Unit states (tokens, d) and (tokens, D) of both, at each boundary of the narrow model."""
    small, large = residual_streams(narrow, rows, device), residual_streams(wide, rows, device)
    matched = [round(i * wide.depth / narrow.depth) for i in range(narrow.depth + 1)]
    for hidden, other in zip(small, _at(large, matched), strict=True):
        yield F.normalize(hidden.double(), dim=-1), F.normalize(other.double(), dim=-1)


def _at(values: Iterator[Tensor], places: Sequence[int]) -> Iterator[Tensor]:
    """The values at ascending places, some perhaps more than once; none is kept beyond its place."""
    last, value = -1, torch.empty(0)
    for place in places:
        if place != last:
            value = next(islice(values, place - last - 1, None))
            last = place
        yield value


def _quality(basis: Tensor, small: Tensor, large: Tensor) -> tuple[float, float]:
    read = large @ basis
    return float((read * small).sum(1).mean()), float(read.norm(dim=1).mean())
