"""What pymoo's algorithms have in common here: a generation is as large as what is asked for."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from pymoo.core.duplicate import NoDuplicateElimination
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination

from agents.merge_settings.population import tell
from agents.rivals.rival import Rival
from agents.rivals.variation import CROSSOVERS, LegalMutation, LegalRepair, NeverAgain
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import number
from hm3.errors import ConfigurationError
from hm3.objectives import Array, Normaliser, Utility

MATINGS = 3  # until there are enough new children; then children are changed further


class Evolution(Rival):
    """pymoo's `ask` and `tell`, the start as its first generation, and then `ask`'s count as the number of children.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: Not needed: the algorithms take the objectives themselves.
        sampler: Tells the number of objectives.
        seed: Of all generators.
        initial: Stacks of the first generation, at least.
        crossover: A name of `CROSSOVERS`.
        mutation: Share of children that are changed in one place, too.
        beta: Strength of the natural prior in the first generation.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int,
        initial: int,
        crossover: str,
        mutation: float,
        beta: float,
    ) -> None:
        if crossover not in CROSSOVERS:
            raise ConfigurationError(f"agent.crossover: one of {', '.join(CROSSOVERS)}, got {crossover!r}")
        self._crossover, self._mutation = crossover, number("agent.mutation", mutation, 0, 1)
        super().__init__(space, normaliser, utility, sampler, seed=seed, initial=initial, beta=beta)

    @property
    def population(self) -> Ints:
        """(P, G) the genomes that live; none before the first generation is judged."""
        return self._genomes.encode([]) if self._algorithm is None else self._algorithm.pop.get("X")

    @abstractmethod
    def _made(self, first: Ints, values: Array, **operators: Any) -> Any:
        """The algorithm of pymoo whose first generation is drawn from `first` (n, G) with scores (n, K)."""

    def _begin(self) -> None:
        self._algorithm: Any = None

    def _learn(self, genomes: Ints, values: Array) -> None:
        if self._algorithm is not None:
            self._advance(genomes, values)
        elif len(self._known) >= self._initial:
            self._first_generation()

    def _advance(self, genomes: Ints, values: Array) -> None:
        tell(self._algorithm, Population.new(X=genomes), values)

    def _propose(self, count: int) -> Ints:
        if self._algorithm is None:  # nothing valid was told yet
            return self._natural(0)
        self._algorithm.n_offsprings = count
        asked = self._algorithm.ask()
        self._algorithm.termination.force_termination = False  # set where no child is new
        return self._natural(0) if asked is None else np.asarray(asked.get("X"))

    def _first_generation(self) -> None:
        """Everything valid that is known."""
        valid = {key: row for key, row in self._known.items() if row is not None}
        genomes = np.array([np.frombuffer(key, dtype=np.int64) for key in valid])
        values = np.array(list(valid.values()))
        self._algorithm = self._ready(self._made(genomes, values, **self._operators()))
        asked = self._algorithm.ask()
        tell(self._algorithm, asked, np.array([valid[bytes(genome)] for genome in asked.get("X")]))

    def _operators(self) -> dict[str, Any]:
        return {
            "crossover": CROSSOVERS[self._crossover](),
            "mutation": LegalMutation(self._space, self._genomes, self._mutation),
            "repair": LegalRepair(self._genomes),
            "seed": self._seed,
        }

    def _ready(self, algorithm: Any) -> Any:
        """For the space; the first generation is known, and no child may be."""
        algorithm.initialization.eliminate_duplicates = NoDuplicateElimination()
        algorithm.mating.eliminate_duplicates = NeverAgain(self._seen)
        algorithm.mating.n_max_iterations = MATINGS
        problem = Problem(
            n_var=self._genomes.width, n_obj=self._sampler.objectives, xl=0, xu=self._genomes.symbols, vtype=int
        )
        return algorithm.setup(problem, termination=NoTermination())
