"""What was judged, with its front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hm3.archive import ParetoArchive, hypervolume
from hm3.objectives import Array, Candidate, Normaliser, Scores, Utility
from hm3.recipe import Recipe


@dataclass
class Judged:
    """Everything that was judged at one fidelity, each recipe once, in the order in which it came.

    Attributes:
        normaliser: Of this fidelity's scores.
        candidates: Digest -> candidate.
        archive: Their front.
    """

    normaliser: Normaliser
    candidates: dict[str, Candidate] = field(default_factory=dict)
    archive: ParetoArchive = field(default_factory=ParetoArchive)

    def add(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take in what was judged."""
        for recipe, score in zip(recipes, scores, strict=True):
            if recipe.digest not in self.candidates:
                candidate = Candidate(recipe, score)
                self.candidates[recipe.digest] = candidate
                self.archive.add(candidate)

    def hypervolume(self) -> float:
        """Of the front, normalised, reference point 0."""
        front = [candidate.scores.values for candidate in self.archive]
        return hypervolume(self.normaliser(front)) if front else 0.0

    def utilities(self, weights: Array, utility: Utility) -> Array:
        """(P, N) utility of every candidate under each preference (P, K); -inf where a candidate is invalid."""
        known = list(self.candidates.values())
        values = self.normaliser([candidate.scores.values for candidate in known])
        result = utility(values[None, :, :], weights[:, None, :])
        valid = np.array([candidate.scores.valid for candidate in known])
        return np.where(valid[None, :], result, -np.inf)

    def best_utility(self, weights: Array, utility: Utility) -> float:
        """The largest utility of any candidate under one preference (K,)."""
        return float(self.utilities(weights[None, :], utility).max())
