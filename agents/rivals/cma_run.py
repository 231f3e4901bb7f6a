"""One run of CMA-ES over a genotype for one preference; some of its points may be known already."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from agents.rivals.data_flow import DataFlow
from envs.space import Ints
from hm3.objectives import Array

UNASKED = 10  # generations in a row of which everything is known, before others get their turn


class CMARun:
    """Hansen's CMA-ES (the `cma` package); a generation is answered when all of its stacks are known.

    Args:
        flow: What points mean.
        loss: Of a genome by its bytes, which is to be small; None as long as it is not known.
        rng: Draws the points.
        distance: Of a run's start from taking or leaving any slot, in units of the first deviation, which is 1.
    """

    def __init__(
        self, flow: DataFlow, loss: Callable[[bytes], float | None], rng: np.random.Generator, distance: float
    ) -> None:
        self._flow, self._loss, self._rng, self._distance = flow, loss, rng, distance
        self._strategy: Any = None
        self._generation: list[tuple[Array, bytes]] = []

    @property
    def over(self) -> bool:
        """Whether it has not begun, or one of CMA-ES's own criteria says that nothing more will come."""
        return self._strategy is None or bool(self._strategy.stop())

    @property
    def waits(self) -> bool:
        """Whether its generation has all its points."""
        return self._strategy is not None and len(self._generation) == self._strategy.popsize

    def begin(self, genome: Ints) -> None:
        """Start anew around a genome (G,), at the distance from leaving what it has, or taking what it has not."""
        import cma

        options = {
            "verbose": -9,
            "verb_log": 0,
            "seed": np.nan,  # "do nothing": the numbers are ours
            "randn": lambda *shape: self._rng.standard_normal(shape),
        }
        start = self._distance * self._flow.encode(genome)
        with warnings.catch_warnings():  # of its numerics, nothing to be done about
            warnings.simplefilter("ignore")
            self._strategy = cma.CMAEvolutionStrategy(start, 1.0, options)
        self._generation = []

    def draw(self, count: int, seen: set[bytes]) -> list[Ints]:
        """Up to `count` genomes (G,) of the current generation, or of the next that has any, that nobody has seen."""
        for _ in range(UNASKED):
            self._answer()
            lacking = self._strategy.popsize - len(self._generation)
            if self.over or lacking == 0:
                break
            if new := self._drawn(min(lacking, max(count, 1)), seen):
                return new
        return []

    def _drawn(self, count: int, seen: set[bytes]) -> list[Ints]:
        points = np.array(self._strategy.ask(count))
        genomes = self._flow.decode(points)
        keys = list(map(bytes, genomes))
        self._generation += zip(points, keys, strict=True)
        new = {key: genome for key, genome in zip(keys, genomes, strict=True) if key not in seen}
        return list(new.values())

    def _answer(self) -> None:
        """Tell the losses of a generation that is complete and known."""
        losses = [self._loss(key) for _, key in self._generation]
        if len(losses) == self._strategy.popsize and None not in losses:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._strategy.tell([point for point, _ in self._generation], losses)
            self._generation = []
