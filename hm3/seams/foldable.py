"""Whether a rule's seams can become part of stock weights."""

from __future__ import annotations

from collections.abc import Iterable

from hm3.checkpoints import SourceModel
from hm3.errors import CheckpointError
from hm3.layers import family_of
from hm3.seams.families import stream_of
from hm3.seams.rules import RULES


def residual_width(source: SourceModel) -> int:
    """The width of a source's residual stream."""
    return source.tensors[family_of(source.name, source.config).embedding[0]].shape[1]


def check_foldable(rule: str, sources: Iterable[SourceModel]) -> None:
    """See that a rule's seams can be folded into the weights of all sources.

    Args:
        rule: Its name.
        sources: The sources.

    Raises:
        CheckpointError: They cannot; the message says why.
    """
    for source in sources:
        stream = stream_of(source)
        if RULES[rule].turns and stream.unturned:
            raise CheckpointError(
                f"source {source.name}: for seam={rule}, a family whose stream can be turned,"
                f" got {source.model_type}: {stream.unturned}"
            )
