"""In which coordinates an exported stack keeps its residual stream, and how weights are written for them.

The file's stream is that of the embedding host. Behind seams, the stream that a layer is at home with is the file's
one turned and scaled: ``home = scale * file @ rotation``. Norms don't see the scale, but for their epsilon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.recipe.junctions import Junction
from hm3.seams.transform import Transform

ROWS = 1024  # of a weight that are in float64 at once


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The file's coordinates at one place of a stack.

    Attributes:
        scale: By how much the home stream is larger.
        rotation: (width, width) float32, orthogonal; None for none.
    """

    scale: float = 1.0
    rotation: Tensor | None = None

    @property
    def plain(self) -> bool:
        """Whether the file's stream is the home stream."""
        return self.scale == 1.0 and self.rotation is None

    def behind(self, seam: Transform) -> Basis:
        """The basis behind a seam."""
        if seam.plain:
            return self
        turned = self.rotation
        if seam.rotation is not None:
            turn = torch.from_numpy(seam.rotation)
            turned = turn if turned is None else (turned.double() @ turn.double()).float()
        return Basis(self.scale * seam.scale, turned)

    def reading(self, weight: Tensor, gain: Tensor) -> Tensor:
        """A weight (..., width) that reads the stream through a norm, with the norm's gain in it; rounded once."""
        if self.rotation is None:
            return weight
        turn = self.rotation.to(weight.device).double().T
        flat = weight.reshape(-1, weight.shape[-1])
        folded = torch.empty_like(flat)
        for start in range(0, len(flat), ROWS):
            folded[start : start + ROWS] = (flat[start : start + ROWS].double() * gain.double()) @ turn
        return folded.reshape(weight.shape)

    def writing(self, weight: Tensor) -> Tensor:
        """A weight (..., width, inputs) or bias (width) whose products are added to the stream; rounded once."""
        if self.rotation is None:
            return (weight.double() / self.scale).to(weight.dtype)
        turn = self.rotation.to(weight.device).double() / self.scale
        if weight.dim() == 1:
            return (turn @ weight.double()).to(weight.dtype)
        folded = torch.empty_like(weight)
        for start in range(0, weight.shape[-1], ROWS):
            folded[..., start : start + ROWS] = turn @ weight[..., start : start + ROWS].double()
        return folded


def bases(path: Iterator[Junction] | tuple[Junction, ...], seams: Mapping[Junction, Transform]) -> list[Basis]:
    """The basis behind each junction of a stack, in order.

    Args:
        path: The stack's junctions.
        seams: The transform of every seam among them.
    """
    found, basis = [], Basis()
    for junction in path:
        basis = basis.behind(seams[junction]) if junction.is_seam else basis
        found.append(basis)
    return found
