"""Whether models can be merged, seen before any work."""

from __future__ import annotations

from collections.abc import Sequence

from hm3.checkpoints import Checkpoint
from hm3.parameter.arithmetic import check_same_tensors
from hm3.parameter.padding import vocabulary_tensors


def check_mergeable(checkpoints: Sequence[Checkpoint]) -> None:
    """Refuse models that cannot be merged tensor by tensor; reads headers only.

    Args:
        checkpoints: The host first.

    Raises:
        CheckpointError: Names or shapes differ: another depth or width, or a head tied in one only.
    """
    check_same_tensors(checkpoints, vocabulary_tensors(checkpoints[0]))
