"""Whether every dimension of a narrow source has a place in a wide one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.errors import CheckpointError
from hm3.layers.rotary import angles
from hm3.widening.families import roles_of
from hm3.widening.places import copies
from hm3.widening.shape import Shape


def check_room(narrow: Checkpoint, wide: Checkpoint) -> list[str]:
    """See that the narrow source can be at the wide shape, and that both then are one family of models.

    Returns:
        One warning for each scalar that will differ: it stands in a config once, so in a stack the host's holds.

    Raises:
        CheckpointError: Something has no place, or would not be the same there; field and both values are named.
    """
    for source in (narrow, wide):
        roles_of(source)
    small, large = Shape.of(narrow), Shape.of(wide)
    for field in ("hidden_size", "intermediate_size"):
        _check_at_most(narrow, wide, field, small.fields[field], large.fields[field])
    count = copies(small, large)
    note = f" ({count} times each: {small.group} query heads share one, there {large.group})" if count > 1 else ""
    _check_at_most(narrow, wide, f"num_key_value_heads{note}", small.kv_heads * count, large.kv_heads)
    if large.head_dim % small.head_dim:
        raise CheckpointError(
            f"source {narrow.name}: head_dim must divide that of {wide.name}, {large.head_dim}, got {small.head_dim}"
        )
    there = at_shape(narrow, wide)
    warnings = check_compatible([wide, there], on_mismatch="host")
    _check_rotation(narrow, there)
    return warnings


def widened_config(narrow: Checkpoint, wide: Checkpoint) -> dict[str, Any]:
    """The ``config.json`` of the narrow source at the wide shape: its own scalars and depth, and an untied head."""
    config = {key: value for key, value in narrow.config.items() if key != "_name_or_path"}
    return {**config, **Shape.of(wide).fields, "tie_word_embeddings": False}


def at_shape(narrow: Checkpoint, wide: Checkpoint) -> Checkpoint:
    """The narrow source with the config that it will have; its tensors are still the narrow ones."""
    return replace(narrow, config=widened_config(narrow, wide))


def _check_at_most(narrow: Checkpoint, wide: Checkpoint, field: str, ours: int, most: int) -> None:
    if ours > most:
        raise CheckpointError(f"source {narrow.name}: {field} at most that of {wide.name}, {most}, got {ours}")


def _check_rotation(narrow: Checkpoint, there: Checkpoint) -> None:
    """See that each rotary pair turns at the same speed where it will stand."""
    (ours, factor), (theirs, new_factor) = _speeds(narrow), _speeds(there)
    kept = theirs[:: len(theirs) // len(ours)]
    off = ((ours - kept).abs() > 1e-6 * ours.abs()).nonzero().flatten().tolist()
    if off or factor != new_factor:
        pair = off[0] if off else 0
        raise CheckpointError(
            f"source {narrow.name}: rotary pairs that turn alike in heads of {2 * len(theirs)}, pair {pair} at"
            f" {ours[pair]:.6g} times {factor:.6g}, got {kept[pair]:.6g} times {new_factor:.6g}"
        )


def _speeds(source: Checkpoint) -> tuple[Tensor, float]:
    turns, factor = angles(source.config, Shape.of(source).head_dim, 2)
    return turns[1], factor
