"""What a seam does to the residual stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """A linear map of hidden states: a rotation, where there is one, and a scale.

    It is a plain value that travels between processes: `on` makes of it what runs.

    Attributes:
        scale: By how much the stream grows.
        rotation: (width, width) orthogonal, for rows of hidden states from the right; None for none.
    """

    scale: float = 1.0
    rotation: Matrix | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing happens."""
        return self.scale == 1.0 and self.rotation is None

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return 0 if self.rotation is None else self.rotation.nbytes

    def on(self, device: torch.device, dtype: torch.dtype) -> Tensor | float:
        """What hidden states are multiplied by on a device: a number, or a matrix from the right."""
        if self.rotation is None:
            return self.scale
        matrix = torch.from_numpy(self.rotation).double() * self.scale
        return matrix.to(device=device, dtype=dtype)


PLAIN = Transform()


def applied(factor: Tensor | float, hidden: Tensor) -> Tensor:
    """Hidden states behind a seam, in new memory.

    Args:
        factor: From `Transform.on`.
        hidden: (..., width).
    """
    return hidden @ factor if isinstance(factor, Tensor) else hidden * factor
