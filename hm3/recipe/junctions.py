"""Where a stack joins hidden states of one origin to a part that is at home with others."""

from __future__ import annotations

from typing import NamedTuple

from hm3.recipe.stack import Content


class State(NamedTuple):
    """The residual stream of a source that runs alone.

    Attributes:
        source: The source's digest.
        layer: Before this layer; the number of layers means after the last.
    """

    source: str
    layer: int


class Junction(NamedTuple):
    """Two parts of a stack that follow each other.

    Attributes:
        left: The state as which the hidden states come.
        home: The state that the next part saw in its own source.
    """

    left: State
    home: State

    @property
    def is_seam(self) -> bool:
        """Whether the two states differ."""
        return self.left != self.home


def junctions(stack: Content, depth: int) -> tuple[Junction, ...]:
    """The junctions of a stack of n layers: before each layer, then before the head (n + 1).

    Args:
        stack: The stack.
        depth: Number of layers of the head host.
    """
    left = [State(stack.embedding, 0), *(State(source, layer + 1) for source, layer in stack.path)]
    home = [*(State(source, layer) for source, layer in stack.path), State(stack.head, depth)]
    return tuple(map(Junction, left, home))
