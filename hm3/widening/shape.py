"""What fixes the shapes of a decoder's tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError

Axis = Literal["stream", "query", "key", "head", "inner"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes that a config states.

    Attributes:
        width: Of the residual stream.
        heads: Query heads.
        kv_heads: Key and value heads.
        head_dim: Width of a head.
        inner: Width of the MLP.
    """

    width: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int

    @classmethod
    def of(cls, source: Checkpoint) -> Shape:
        """A source's.

        Raises:
            CheckpointError: Its config states no width, or heads that cannot be turned in pairs.
        """
        width, heads = _stated(source, "hidden_size"), _stated(source, "num_attention_heads")
        head_dim = _stated(source, "head_dim", width // heads)
        if head_dim % 2:
            raise CheckpointError(f"source {source.name}: head_dim even, got {head_dim}")
        kv_heads = _stated(source, "num_key_value_heads", heads)
        return cls(width, heads, kv_heads, head_dim, _stated(source, "intermediate_size"))

    @property
    def group(self) -> int:
        """Query heads that share keys and values."""
        return self.heads // self.kv_heads

    @property
    def fields(self) -> dict[str, int]:
        """The shape as a config states it."""
        return {
            "hidden_size": self.width,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "intermediate_size": self.inner,
        }

    def size(self, axis: Axis) -> int:
        """The size of a tensor's axis."""
        sizes: dict[Axis, int] = {
            "stream": self.width,
            "query": self.heads * self.head_dim,
            "key": self.kv_heads * self.head_dim,
            "head": self.head_dim,
            "inner": self.inner,
        }
        return sizes[axis]


def _stated(source: Checkpoint, field: str, otherwise: int | None = None) -> int:
    value: int | None = source.config.get(field)
    value = otherwise if value is None else value
    if value is None:
        raise CheckpointError(f"source {source.name}: config.json: {field}, got none")
    return value
