"""The narrow source's tensors at the wide shape. Each is computed when its turn comes, then forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint, Computed, Outgoing
from hm3.errors import CheckpointError
from hm3.widening.families import roles_of
from hm3.widening.roles import Role
from hm3.widening.shape import Shape
from hm3.widening.stream_map import StreamMap
from hm3.widening.target import Target

EMBEDDING, NORM, HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
_LAYER = re.compile(r"(model\.layers\.(\d+)\.)(.+)")
_UNREAD = "rotary_emb.inv_freq"  # old files keep rotary tables, which nobody reads


def widened_tensors(source: Checkpoint, wide: Shape, stream: StreamMap) -> Iterator[Outgoing]:
    """All tensors at the wide shape, under their own names; a tied head becomes a tensor of its own.

    Args:
        source: The narrow source, which has room in the wide shape.
        wide: The shape to be.
        stream: How the residual stream is carried.

    Raises:
        CheckpointError: The source lacks a tensor, or has one of another shape than its config says, or one too many.
    """
    _check_whole(source)
    narrow = Shape.of(source)
    to, rows = Target.of(narrow, wide, stream), int(source.config["vocab_size"])
    head = HEAD if HEAD in source.tensors else EMBEDDING
    for name, shape in ((EMBEDDING, (rows, narrow.width)), (head, (rows, narrow.width)), (NORM, (narrow.width,))):
        _check_shape(source, name, shape)

    yield _computed(source, EMBEDDING, EMBEDDING, (rows, wide.width), to.writes)
    for name in source.tensor_names:
        if name not in (EMBEDDING, NORM, HEAD) and not name.endswith(_UNREAD):
            yield _of_layer(source, name, to)
    yield _computed(source, NORM, NORM, (wide.width,), partial(_constant, size=wide.width, gain=stream.gains[-1]))
    yield _computed(source, HEAD, head, (rows, wide.width), lambda tensor: to.reads(tensor, source.read(NORM)))


def _of_layer(source: Checkpoint, name: str, to: Target) -> Computed:
    match = _LAYER.fullmatch(name)
    role: Role | None = roles_of(source).get(match[3]) if match else None
    if match is None or role is None or int(match[2]) >= source.depth:
        raise CheckpointError(f"source {source.name}: tensors of a plain decoder only, got {name}")
    _check_shape(source, name, role.shape(to.narrow))
    prefix, gain = match[1], to.stream.gains[int(match[2])]
    make = partial(role.widened, to=to, gain=gain, norm=lambda norm: source.read(f"{prefix}{norm}.weight"))
    return _computed(source, name, name, role.shape(to.wide), make)


def _check_whole(source: Checkpoint) -> None:
    needed = [suffix for suffix in roles_of(source) if suffix.endswith(".weight")]
    for layer in range(source.depth):
        for suffix in needed:
            if f"model.layers.{layer}.{suffix}" not in source.tensors:
                raise CheckpointError(f"source {source.name}: a tensor model.layers.{layer}.{suffix}, got none")


def _check_shape(source: Checkpoint, name: str, shape: tuple[int, ...]) -> None:
    if name not in source.tensors:
        raise CheckpointError(f"source {source.name}: a tensor {name}, got none")
    found = source.tensors[name].shape
    if found != shape:
        raise CheckpointError(f"source {source.name}: {name} of its config's shape, {list(shape)}, got {list(found)}")


def _computed(
    source: Checkpoint, name: str, origin: str, shape: tuple[int, ...], make: Callable[[Tensor], Tensor]
) -> Computed:
    return Computed(name, source.tensors[origin].dtype, shape, lambda: make(source.read(origin)))


def _constant(tensor: Tensor, size: int, gain: float) -> Tensor:
    return torch.full((size,), gain, dtype=tensor.dtype)
