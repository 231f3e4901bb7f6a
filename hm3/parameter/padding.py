"""Merges of sources whose vocabularies are padded to different sizes.

The rows that all sources have are merged; rows beyond them are the host's own, so that the merge has the host's shape
and every token of its tokenizer has a row. (mergekit stops at such sources; told to truncate, it merges the same rows,
drops the others, and leaves a config that states rows which aren't there.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.layers import family_of


def vocabulary_tensors(host: Checkpoint) -> frozenset[str]:
    """The names of the tensors with a row for each token: embedding and head."""
    family = family_of(host.name, host.config)
    return frozenset((family.embedding[0], family.head))


def merge_rows(merge: Callable[[list[Tensor]], Tensor], tensors: Sequence[Tensor], host: Tensor) -> Tensor:
    """What `merge` makes of the rows that all have, then the host's own.

    Args:
        merge: Makes one tensor of the sources' tensors, which must have one shape.
        tensors: The sources', (rows, width) each, with rows of their own number.
        host: The host's.
    """
    common = min(len(tensor) for tensor in (*tensors, host))
    merged = merge([tensor[:common] for tensor in tensors])
    return merged if common == len(host) else torch.cat([merged, host[common:].to(merged.dtype)])
