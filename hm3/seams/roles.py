"""What a layer's tensors do to the residual stream, and so how each is written in another basis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from hm3.seams.basis import Basis

Change = Callable[[Tensor], Tensor]  # a tensor as its source has it -> as the file has it, of the same type
Sibling = Callable[[str], Tensor]  # another tensor of the same layer, by its name after the layer's prefix


class Role(Protocol):
    """What a tensor does to the stream."""

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """How it is written in a basis that is not plain; None for as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Apart:
    """It has nothing to do with the stream, or only sees it through a norm that scale doesn't change."""

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """As it is."""
        return None


@dataclass(frozen=True, slots=True)
class Gain:
    """The gain of a norm that reads the stream: where the stream is turned, its readers take it over."""

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """Ones where the stream is turned."""
        return None if basis.rotation is None else torch.ones_like


@dataclass(frozen=True, slots=True)
class Reader:
    """A weight that reads the stream through a norm.

    Attributes:
        norm: The norm's gain.
    """

    norm: str

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """Turned, where the stream is, with the norm's gain in it."""
        if basis.rotation is None:
            return None
        return lambda weight: basis.reading(weight, sibling(self.norm))


@dataclass(frozen=True, slots=True)
class BareReader:
    """A weight that reads the stream through no norm."""

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """As much larger as the stream is smaller in the file."""
        return lambda weight: (weight.double() * basis.scale).to(weight.dtype)


@dataclass(frozen=True, slots=True)
class Writer:
    """A weight or bias whose products are added to the stream."""

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """Turned back and scaled back."""
        return basis.writing


@dataclass(frozen=True, slots=True)
class LateGain:
    """The gain of a norm whose result is added to the stream.

    Attributes:
        offset: What is added to the stored value: 1 where families store what the gain is beyond 1.
    """

    offset: float = 0.0

    def change(self, basis: Basis, sibling: Sibling) -> Change | None:
        """Scaled back."""
        offset = self.offset
        return lambda gain: ((gain.double() + offset) / basis.scale - offset).to(gain.dtype)
