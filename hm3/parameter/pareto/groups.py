"""Texts of all experts in groups that a model runs at once, and what each text counts for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from hm3.parameter.pareto.texts import Batch, Text


class Group(NamedTuple):
    """Texts that run at once.

    Attributes:
        batch: n texts.
        owners: (n,) whose loss each of them is part of, 0 to K - 1.
        shares: (n,) float64 which part of it.
    """

    batch: Batch
    owners: Tensor
    shares: Tensor

    def sums(self, values: Tensor, experts: int) -> Tensor:
        """(K,) float64 what the texts' own losses (n,) add to the experts' mean losses."""
        values = values.cpu().double()
        return values.new_zeros(experts).index_add(0, self.owners, values * self.shares)


def grouped(
    texts: Sequence[Sequence[Text]], read: Callable[[Sequence[Text]], Batch], tokens: int, device: torch.device
) -> list[Group]:
    """Texts of each of the K experts, side by side: the sums of all groups are the means over each expert's texts.

    Args:
        texts: Of each expert, one or more.
        read: What a model is shown of them.
        tokens: Padded tokens of a group at most, as for `packed`.
        device: Where the model is.
    """
    every = [text for own in texts for text in own]
    owners = torch.tensor([k for k, own in enumerate(texts) for _ in own])
    shares = 1 / owners.bincount()[owners].double()
    return [
        Group(read([every[i] for i in rows]).to(device), owners[rows], shares[rows]) for rows in packed(every, tokens)
    ]


def packed(texts: Sequence[Text], tokens: int) -> list[list[int]]:
    """Texts of similar length together, as their indices; a text that is longer than allowed is alone.

    Args:
        texts: Of any lengths.
        tokens: Padded tokens of a group at most. Of predictions it has an eighth of that at most: where vocabularies
            are large, they take more memory than all else.
    """
    groups: list[list[int]] = []
    predicted = 0
    for i in sorted(range(len(texts)), key=lambda i: (len(texts[i].tokens), i)):
        length, answer = len(texts[i].tokens), len(texts[i].tokens) - texts[i].prompt
        predicted += answer
        if not groups or length * (len(groups[-1]) + 1) > tokens or predicted > tokens // 8:
            groups.append([])
            predicted = answer
        groups[-1].append(i)
    return groups
