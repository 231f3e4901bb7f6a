"""pymoo's operators for genomes: how two parents become children that are legal and have not been asked for."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.repair import Repair
from pymoo.operators.crossover.pntx import TwoPointCrossover
from pymoo.operators.crossover.ux import UniformCrossover

from agents.moves import mutate
from agents.rivals.genomes import Genomes
from envs.space import Ints, StackSpace

CROSSOVERS: dict[str, type[Crossover]] = {"uniform": UniformCrossover, "two_point": TwoPointCrossover}
"""Both take whole genes from either parent: numbers of layers are names, and nothing lies between two of them."""


class LegalRepair(Repair):  # type: ignore[misc] # pymoo has no types
    """Makes every genome one of a legal stack, as `Genomes.repair` does."""

    def __init__(self, genomes: Genomes) -> None:
        super().__init__()
        self._genomes = genomes

    def _do(self, problem: Any, X: Ints, **kwargs: Any) -> Ints:  # noqa: N803 # pymoo passes it by name
        return self._genomes.repair(X)


class LegalMutation(Mutation):  # type: ignore[misc]
    """Repairs, then makes one of the changes that `agents.LocalSearch` makes.

    Args:
        space: What is legal.
        genomes: Of the space.
        prob: Share of children that are changed.
    """

    def __init__(self, space: StackSpace, genomes: Genomes, prob: float) -> None:
        super().__init__(prob=prob)
        self._space, self._genomes = space, genomes

    def _do(self, problem: Any, X: Ints, random_state: Any = None, **kwargs: Any) -> Ints:  # noqa: N803
        stacks = self._genomes.decode(self._genomes.repair(X))
        return self._genomes.encode([mutate(self._space, stack, random_state) or stack for stack in stacks])


class NeverAgain(DuplicateElimination):  # type: ignore[misc]
    """Drops genomes that were asked before, and repetitions.

    Args:
        seen: Bytes of the genomes that were.
    """

    def __init__(self, seen: Container[bytes]) -> None:
        super().__init__()
        self._seen = seen

    def do(self, pop: Any, *others: Any, **kwargs: Any) -> Any:
        """What is new of a population; pymoo passes those that children must differ from."""
        met = {bytes(genome) for other in others if len(other) for genome in other.get("X")}
        keep = np.zeros(len(pop), dtype=bool)
        for row, genome in enumerate(pop.get("X") if len(pop) else ()):
            keep[row] = bytes(genome) not in met and bytes(genome) not in self._seen
            met.add(bytes(genome))
        return pop[keep]
