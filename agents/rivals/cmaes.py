"""CMA-ES over Sakana's data-flow genotype: a run for each preference of a lattice."""

from __future__ import annotations

import numpy as np

from agents.rivals.cma_run import CMARun
from agents.rivals.data_flow import DataFlow
from agents.rivals.rival import Rival
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import number, whole
from hm3.lattice import das_dennis
from hm3.objectives import Array, Normaliser, Utility

FAILED = 1e6  # the loss of a stack without scores


class CMAES(Rival):
    """The evolution in the data-flow space of Akiba et al. (2025), one run for each preference.

    It has one objective, so it needs a preference. The runs take turns, a generation each, so that all get the same
    part of whatever budget there is. A run begins around the stack that is best for its preference of all that are
    known by then, as Sakana's begins around model A; when CMA-ES's own criteria end it, it begins anew.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What each run maximises.
        sampler: Tells the number of objectives.
        seed: Of the generator.
        divisions: Of the lattice of preferences.
        repeats: How often the list of layers is repeated.
        distance: Of a run's start from taking or leaving any slot, in first deviations. Sakana's 2 leaves nearly every
            child as its parent is where what is left out comes back by the natural order.
        beta: Strength of the natural prior, in what fills up a batch when every run waits for scores.

    Raises:
        ConfigurationError: No division, no repeat, or a distance that is not above 0.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        divisions: int = 3,
        repeats: int = 3,
        distance: float = 1.0,
        beta: float = 2.0,
    ) -> None:
        self.preferences = das_dennis(sampler.objectives, whole("agent.divisions", divisions, 1))
        self._repeats = whole("agent.repeats", repeats, 1)
        self._distance = number("agent.distance", distance, 0, above=True)
        super().__init__(space, normaliser, utility, sampler, seed=seed, initial=1, beta=beta)

    def _begin(self) -> None:
        flow = DataFlow(self._space, self._genomes, self._repeats)
        self._losses: list[dict[bytes, float]] = [{} for _ in self.preferences]
        self._runs = [CMARun(flow, losses.get, self._rng, self._distance) for losses in self._losses]
        self._turn = 0

    def _learn(self, genomes: Ints, values: Array) -> None:
        """Utilities are taken once, when scores come."""
        utilities = self._utility(values[None], self.preferences[:, None])
        for losses, row in zip(self._losses, -utilities, strict=True):
            losses.update(zip(map(bytes, genomes), row.tolist(), strict=True))

    def _fail(self, genomes: Ints) -> None:
        for losses in self._losses:
            losses.update(dict.fromkeys(map(bytes, genomes), FAILED))

    def _propose(self, count: int) -> Ints:
        """What the runs draw, in turn, until they wait for scores or see nothing new."""
        drawn: list[Ints] = []
        seen, idle = set(self._seen), 0
        while len(drawn) < count and idle < len(self._runs):
            new = self._drawn(self._turn, count - len(drawn), seen)
            drawn, idle = drawn + new, 0 if new else idle + 1
            seen.update(map(bytes, new))
            if not new or self._runs[self._turn].waits:
                self._turn = (self._turn + 1) % len(self._runs)
        return np.vstack([self._natural(0), *drawn])

    def _drawn(self, turn: int, count: int, seen: set[bytes]) -> list[Ints]:
        run, losses = self._runs[turn], self._losses[turn]
        if run.over and losses:
            best = min(losses, key=losses.__getitem__)
            run.begin(np.frombuffer(best, dtype=np.int64))
        return [] if run.over else run.draw(count, seen)
