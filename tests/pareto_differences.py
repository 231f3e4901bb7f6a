"""Differences of experts that tests write down, instead of reading them from checkpoints."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Stated:
    """Matrix -> (K, c, d), with what `Differences` has beside."""

    given: dict[str, Tensor]

    @property
    def experts(self) -> int:
        return len(next(iter(self.given.values())))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.given))

    @property
    def totals(self) -> Tensor:
        return sum(each.double().square().sum((1, 2)) for each in self.given.values())

    def of(self, name: str) -> Tensor:
        return self.given[name]


def random_differences(*shapes: tuple[int, int], experts: int = 3, rank: int | None = None, seed: int = 0) -> Stated:
    """Of random matrices ``m0``, ``m1`` ..., each of this rank; all experts are as far from the base: 1."""
    draw = torch.Generator().manual_seed(seed)
    given = {}
    for number, (rows, columns) in enumerate(shapes):
        inner = rank or min(rows, columns)
        left, right = (
            torch.randn(experts, rows, inner, generator=draw),
            torch.randn(experts, inner, columns, generator=draw),
        )
        given[f"m{number}"] = left @ right
    scale = Stated(given).totals.rsqrt().float()[:, None, None]
    return Stated({name: each * scale for name, each in given.items()})
