"""The way of a stack's hidden states: what they go through before each layer, and before the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from hm3.layers import Forward, LayerBank
from hm3.recipe import Content
from hm3.recipe.junctions import Junction, junctions
from hm3.seams import NONE, Transforms, applied


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """A junction on the way.

    Attributes:
        factor: What hidden states are multiplied by; None where there is no seam.
        forward: Runs what is behind it, at the size that hidden states have there.
    """

    factor: Tensor | float | None
    forward: Forward

    def over(self, hidden: Tensor) -> Tensor:
        """Hidden states on the other side; the same tensor where there is no seam."""
        return hidden if self.factor is None else applied(self.factor, hidden)


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """The way of one stack.

    Attributes:
        stack: The stack.
        start: What, beside its layers, a prefix's hidden states depend on: whose embedding it has, and seams.
        forward: At the embedding host's scalars.
        crossings: Before each layer, then before the head.
    """

    stack: Content
    start: tuple[str, str]
    forward: Forward
    crossings: tuple[Crossing, ...]


class Routes:
    """Finds the way of any stack.

    Args:
        bank: The weights.
        forward: Gives the forward at a host's scalars.
        seams: The transform of every seam.
    """

    def __init__(self, bank: LayerBank, forward: Callable[[str], Forward], seams: Transforms) -> None:
        self._bank, self._forward, self._seams = bank, forward, seams
        self._factors: dict[Junction, Tensor | float] = {}
        self._scaled: dict[tuple[str, float], Forward] = {}

    def of(self, stack: Content) -> Route:
        """The stack's way."""
        forward, scale = self._forward(stack.embedding), 1.0
        start = self._bank.home(stack.embedding), stack.seam
        if stack.seam == NONE:
            return Route(stack, start, forward, (Crossing(None, forward),) * (len(stack.path) + 1))
        crossings = []
        for junction in junctions(stack, self._bank.checkpoint(stack.head).depth):
            scale *= self._seams[junction].scale if junction.is_seam else 1.0
            crossings.append(Crossing(self._factor(junction), self._at(stack.embedding, scale)))
        return Route(stack, start, forward, tuple(crossings))

    def _factor(self, junction: Junction) -> Tensor | float | None:
        if not junction.is_seam or self._seams[junction].plain:
            return None
        if junction not in self._factors:
            self._factors[junction] = self._seams[junction].on(self._bank.device, self._bank.dtype)
        return self._factors[junction]

    def _at(self, host: str, scale: float) -> Forward:
        """The forward for hidden states that are `scale` times those of the exported model."""
        if scale == 1.0:
            return self._forward(host)
        if (host, scale) not in self._scaled:
            self._scaled[host, scale] = self._forward(host).at(scale)
        return self._scaled[host, scale]
