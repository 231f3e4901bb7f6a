"""Where an acquisition over stacks is large: a local search among legal stacks. Importing this takes a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from agents.rivals.hamming import HammingProcess  # isort: skip - first: it keeps botorch's import quiet
from botorch.acquisition.acquisition import AcquisitionFunction

from agents.merge_settings.acquisition import Acquisition
from envs.space import Ints
from hm3.objectives import Array

Neighbours = Callable[[Ints, int], Ints]
"""At most so many new genomes (m, G) near some (n, G), n > 0."""


@dataclass(frozen=True)
class LocalGain:
    """qLogNEHVI, one stack after the other, each given those before it.

    Attributes:
        process: Of the objectives.
        reference: (K,) point from which hypervolume counts.
        neighbours: The moves.
        samples: Quasi-random samples of the posterior.
        rounds: Of the local search for each stack.
        beam: Stacks from which a round goes on; each has as many neighbours.
        shortlist: Stacks of which the search for the next one begins, the best of the search before.
    """

    process: HammingProcess
    reference: Array
    neighbours: Neighbours
    samples: int
    rounds: int
    beam: int
    shortlist: int

    def best(self, candidates: Ints, count: int) -> Ints:
        """(at most count, G) different genomes that promise most, of new candidates (n, G) and their neighbours.

        Torch's global generator draws the samples: seed it.
        """
        reference = torch.from_numpy((self.reference - self.process.means) / self.process.scales)
        acquisition = Acquisition(self.samples, 0, 0, 0).function(self.process.surrogate, reference)
        chosen, candidates = candidates[:0], _without(candidates, candidates[:0])
        while len(chosen) < count and len(candidates):
            ranked = self._climb(acquisition, candidates, chosen)
            chosen, candidates = np.vstack([chosen, ranked[:1]]), ranked[1 : 1 + self.shortlist]
            acquisition.set_X_pending(torch.from_numpy(chosen).double())
        return chosen

    def _climb(self, acquisition: AcquisitionFunction, genomes: Ints, chosen: Ints) -> Ints:
        """(m, G) genomes and what was found near them, best first."""
        gains = _gains(acquisition, genomes)
        for _ in range(self.rounds):
            best = genomes[_ranked(gains)[: self.beam]]
            near = _without(self.neighbours(best, self.beam**2), np.vstack([genomes, chosen]))
            genomes, gains = np.vstack([genomes, near]), np.append(gains, _gains(acquisition, near))
        return genomes[_ranked(gains)]


def _ranked(gains: Array) -> Ints:
    return np.argsort(-gains, kind="stable")


@torch.no_grad()
def _gains(acquisition: AcquisitionFunction, genomes: Ints) -> Array:
    if not len(genomes):
        return np.zeros(0)
    gains: Array = acquisition(torch.from_numpy(genomes).double()[:, None]).numpy()
    return gains


def _without(genomes: Ints, others: Ints) -> Ints:
    """Genomes, each once, that are not among others."""
    met = set(map(bytes, others))
    kept = {bytes(genome): row for row, genome in enumerate(genomes) if bytes(genome) not in met}
    return genomes[list(kept.values())]
