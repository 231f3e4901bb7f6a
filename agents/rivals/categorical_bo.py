"""Bayesian optimisation over stacks, for as long as a process can be fitted at bearable cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moocore
import numpy as np

from agents.merge_settings.isolated import isolated
from agents.rivals.rival import Rival
from agents.surrogate.gains import favourites
from agents.surrogate.neighbours import neighbours
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.archive import below_nadir
from hm3.checks import whole
from hm3.objectives import Array, Normaliser, Utility

if TYPE_CHECKING:
    from agents.rivals.hamming import HammingProcess

AFTERWARDS = 8  # candidates for each proposal, when the process has learnt its last


class CategoricalBO(Rival):
    """qLogNEHVI (Daulton et al., 2021; Ament et al., 2023) over Gaussian processes with a Hamming kernel, in batches.

    Hypervolume counts from below the nadir of the known front, as in `SurrogatePPO`.
    Candidates are neighbours of the known front (mutations and crossings) and natural draws; a local search then climbs
    from the best. When `most` stacks are known, the processes have learnt their last and no acquisition is computed any
    more: each proposal is then the candidate of the largest expected utility for a preference from the sampler.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores; used afterwards only.
        sampler: Draws preferences; used afterwards only.
        seed: Of all generators.
        initial: Stacks that are known before the first fit.
        most: Stacks that the processes learn from, at most.
        candidates: Near the front, and as many natural draws, for each acquisition.
        samples: Quasi-random samples of the posterior.
        rounds: Of the local search.
        beam: Stacks from which a round goes on; each has as many neighbours.
        shortlist: Of the best candidates, from which the search for a batch's next stack begins.
        beta: Strength of the natural prior in draws.

    Raises:
        ConfigurationError: A count below 1 (`initial`: below 2; `rounds`: below 0).
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        initial: int = 20,
        most: int = 200,
        candidates: int = 128,
        samples: int = 16,
        rounds: int = 1,
        beam: int = 4,
        shortlist: int = 24,
        beta: float = 2.0,
    ) -> None:
        self._most = whole("agent.most", most, whole("agent.initial", initial, 2))
        self._candidates = whole("agent.candidates", candidates, 1)
        self._samples, self._beam = whole("agent.samples", samples, 1), whole("agent.beam", beam, 1)
        self._rounds, self._shortlist = whole("agent.rounds", rounds, 0), whole("agent.shortlist", shortlist, 1)
        super().__init__(space, normaliser, utility, sampler, seed=seed, initial=initial, beta=beta)

    @property
    def learnt(self) -> int:
        """Stacks that the processes have learnt from, at most `most`."""
        return self._learnt

    def _begin(self) -> None:
        self._stacks, self._values = self._natural(0), np.zeros((0, self._sampler.objectives))
        self._process: HammingProcess | None = None
        self._learnt = 0

    def _learn(self, genomes: Ints, values: Array) -> None:
        self._stacks, self._values = np.vstack([self._stacks, genomes]), np.vstack([self._values, values])

    def _propose(self, count: int) -> Ints:
        if not len(self._values):
            return self._natural(0)
        over = len(self._values) >= self._most
        with isolated(int(self._rng.integers(2**31))):
            process = self._fitted()
            return self._expected(process, count) if over else self._promising(process, count)

    def _fitted(self) -> HammingProcess:
        from agents.rivals.hamming import HammingProcess

        usable = min(len(self._values), self._most)
        if self._process is None or self._learnt < usable:
            self._process = HammingProcess.fit(self._stacks[:usable], self._values[:usable])
            self._learnt = usable
        return self._process

    def _promising(self, process: HammingProcess, count: int) -> Ints:
        from agents.rivals.local_gain import LocalGain

        gain = LocalGain(process, self._reference, self._near, self._samples, self._rounds, self._beam, self._shortlist)
        return gain.best(self._drawn(self._candidates), count)

    @property
    def _reference(self) -> Array:
        best = moocore.is_nondominated(self._values, maximise=True, keep_weakly=True)
        return below_nadir(self._values[best])

    def _expected(self, process: HammingProcess, count: int) -> Ints:
        candidates = self._drawn(AFTERWARDS * count // 2)
        preferences = self._sampler(count, self._rng)
        utilities = self._utility(process.predict(candidates)[None], preferences[:, None])
        return candidates[favourites(utilities)]

    def _drawn(self, count: int) -> Ints:
        """(n, G) new genomes: at most `count` near the front, and as many drawn by the natural prior."""
        best = moocore.is_nondominated(self._values, maximise=True)
        return np.vstack([self._near(self._stacks[best], count), self._fresh(self._natural(count))])

    def _near(self, genomes: Ints, count: int) -> Ints:
        near = self._genomes.encode(neighbours(self._space, self._genomes.decode(genomes), count, self._rng))
        return near[[bytes(genome) not in self._seen for genome in near]]
