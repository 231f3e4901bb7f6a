"""Heads that a file repeats beside a tied embedding, as some tools save them: a merge with others leaves them out."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.settings import settings_of
from hm3.layers import Family, family_of


def repeated_heads(checkpoints: Sequence[Checkpoint]) -> frozenset[str]:
    """The head's name, where only some files have a head and it is the tied embedding itself in each; else nothing.

    Raises:
        CheckpointError: The first source's family has no row.
    """
    family = family_of(checkpoints[0].name, checkpoints[0].config)
    owners = [checkpoint for checkpoint in checkpoints if family.head in checkpoint.tensors]
    some = 0 < len(owners) < len(checkpoints)
    return frozenset((family.head,) if some and all(_repeats(owner, family) for owner in owners) else ())


def _repeats(checkpoint: Checkpoint, family: Family) -> bool:
    tied = settings_of(checkpoint.config).tie_word_embeddings
    return tied and torch.equal(checkpoint.tensor(family.head), checkpoint.tensor(family.embedding[0]))
