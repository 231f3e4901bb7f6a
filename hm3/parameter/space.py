"""The search space of merge settings: every point of the unit cube is a merge.

MM-MO (arXiv 2407.00487, section 3) searches a density and a weight of each parent, 2·K numbers within [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hm3.errors import ConfigurationError
from hm3.parameter.full_settings import full_settings
from hm3.parameter.mending import Block, mended
from hm3.parameter.methods import SEED
from hm3.parameter.searched import WEIGHT, Bounds, stated_bounds
from hm3.parameter.specification import Settings, method_named, setting, specify
from hm3.recipe import MergeSpec, Source


@dataclass(frozen=True)
class MergeSpace:
    """What a search over one method's settings may choose.

    A point is a row of numbers in [0, 1], in the order of `names`: block by block, in each setting by setting, in each
    parent by parent; 0 is a setting's lower bound, 1 its upper. Every point is a merge without NaN:

    * a density of 0 drops the parent's difference;
    * an epsilon (`della`) that is more than the density allows is 0.99 of what it allows;
    * weights that are all 0 are all 1, the plain mean, where `linear` normalises; elsewhere they give the base itself
      (of `linear` that does not normalise, zeros).

    Attributes:
        method: A row of `METHODS` in which parents have settings of their own.
        base: What differences are taken to, and where config and tokenizer come from.
        parents: The K sources that are merged.
        depth: Number of layers of each.
        blocks: B runs of layers with settings of their own, as even as can be, the longer ones first. The first has
            the embedding, too, the last the final norm and the head.
        searched: Setting -> (low, high). None for all numbers that each parent has of its own and `settings` does not
            state, within the method's limits, and for the weight within [0, 1]. A weight that is not searched is 1.
        settings: Values of other settings, the seed among them, where the method's defaults are not meant.

    Raises:
        ConfigurationError: The method has nothing to search, needs a base or more parents; more blocks than layers;
            settings that are unknown, out of range, or both searched and stated; bounds that are none.
    """

    method: str
    base: Source | None
    parents: tuple[Source, ...]
    depth: int
    blocks: int = 1
    searched: Mapping[str, Sequence[float]] | None = None
    settings: Settings = field(default_factory=dict)

    def __post_init__(self) -> None:
        if type(self.blocks) is not int or not 1 <= self.blocks <= self.depth:
            raise ConfigurationError(f"merge blocks: from 1 to {self.depth}, the number of layers, got {self.blocks}")
        row = method_named(self.method)
        lowest = self.bounds.get(WEIGHT, (0.0, 1.0))[0]
        full_settings(row, self.settings, len(self.parents))
        if self.method == "linear" and lowest < 0 and self.settings.get("normalize", True):
            raise ConfigurationError(f"merge linear: weights of at least 0 where they are normalised, got {lowest:g}")
        self.spec([1.0] * self.dimensions)

    @cached_property
    def bounds(self) -> Bounds:
        """Searched setting -> (low, high), in the order of the dimensions."""
        return stated_bounds(method_named(self.method), self.searched, self.settings)

    @cached_property
    def firsts(self) -> tuple[int, ...]:
        """The first layer of each block."""
        length, longer = divmod(self.depth, self.blocks)
        return tuple(block * length + min(block, longer) for block in range(self.blocks))

    @property
    def dimensions(self) -> int:
        """Numbers in a point: searched settings · K · B, which is 2·K·B for DARE-TIES."""
        return len(self.bounds) * len(self.parents) * self.blocks

    @property
    def names(self) -> tuple[str, ...]:
        """What each number is: ``weight code``, or ``weight code 4-7`` in a block, with its first and last layer."""
        ends = (*self.firsts[1:], self.depth)
        runs = [f" {first}-{end - 1}" for first, end in zip(self.firsts, ends, strict=True)]
        places = product(runs if self.blocks > 1 else [""], self.bounds, self.parents)
        return tuple(f"{name} {parent.name}{run}" for run, name, parent in places)

    def spec(self, point: Sequence[float] | NDArray[np.floating]) -> MergeSpec:
        """The merge at a point (`dimensions`,).

        Raises:
            ConfigurationError: The point is not in the unit cube.
        """
        first, *others = self._blocks(point)
        return specify(
            self.method,
            base=self.base,
            parents=self.parents,
            weights=first[0],
            settings={**self.settings, **first[1]},
            blocks=dict(zip(self.firsts[1:], others, strict=True)),
        )

    def point(self, spec: MergeSpec) -> NDArray[np.float64]:
        """The point (`dimensions`,) of a merge by this method of these parents, the nearest where it is outside.

        Raises:
            ConfigurationError: It is another method's, or of other parents.
        """
        if (spec.method, spec.parents) != (self.method, self.parents):
            wanted = f"{self.method} of {', '.join(parent.name for parent in self.parents)}"
            got = f"{spec.method} of {', '.join(parent.name for parent in spec.parents)}"
            raise ConfigurationError(f"merge space: {wanted}, got {got}")
        parts = [_part_at(spec, first) for first in self.firsts]
        numbers: list[float] = [
            (_value(part, name, parent) - low) / (high - low)
            for part, (name, (low, high)), parent in product(parts, self.bounds.items(), range(len(self.parents)))
        ]
        point: NDArray[np.float64] = np.clip(np.array(numbers), 0.0, 1.0)
        return point

    def _blocks(self, point: Sequence[float] | NDArray[np.floating]) -> list[Block]:
        """Weights and settings, but the seed, of each block."""
        count, unit = len(self.parents), np.asarray(point, dtype=np.float64)
        if unit.shape != (self.dimensions,) or not np.all((unit >= 0) & (unit <= 1)):
            raise ConfigurationError(f"merge space: points of {self.dimensions} numbers in [0, 1], got {unit.tolist()}")
        low, high = np.array(list(self.bounds.values())).T[..., None]
        rows = low + unit.reshape(self.blocks, len(self.bounds), count) * (high - low)
        return [self._block(row) for row in rows.clip(low, high).tolist()]

    def _block(self, row: Sequence[Sequence[float]]) -> Block:
        """Of the values of each searched setting, each parent's."""
        own = dict(zip(self.bounds, row, strict=True))
        weights = own.pop(WEIGHT, [1.0] * len(self.parents))
        stated = {name: value for name, value in self.settings.items() if name != SEED}
        return mended(self.method, weights, {**stated, **own})


def _part_at(spec: MergeSpec, layer: int) -> MergeSpec:
    """What merges a layer."""
    return [part for first, part in spec.parts if first <= layer][-1]


def _value(part: MergeSpec, name: str, parent: int) -> float:
    return part.weights[parent] if name == WEIGHT else float(setting(part, name, parent))
