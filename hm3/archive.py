"""The archive: what a search has found, kept as a front. Knows no task and no normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hm3.errors import ConfigurationError
from hm3.objectives import Array, Candidate, Normaliser, Preference, Scores, Utility


class Status(Enum):
    """What became of a candidate that was added."""

    NEW = "new"  # it is on the front now
    DOMINATED = "dominated"  # invalid, or another one is at least as good in every objective
    DUPLICATE = "duplicate"  # its recipe was added before


@dataclass(frozen=True, slots=True)
class Admission:
    """The archive's answer to `ParetoArchive.add`.

    Attributes:
        status: What became of the candidate.
        displaced: The candidates that left the front for it, oldest first.
    """

    status: Status
    displaced: tuple[Candidate, ...] = ()


class ParetoArchive:
    """The non-dominated candidates, in the order in which they came.

    A recipe counts once, whatever became of it. Of different recipes with equal scores the first stays. Invalid
    candidates never reach the front. Scores are compared as they are, so any scale with "larger is better" will do.

    Args:
        candidates: What to begin with, added in order.
    """

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._front: list[Candidate] = []
        self._values: Array | None = None  # of the front, shape (N, K), kept beside it for speed
        self._names: tuple[str, ...] | None = None
        self._seen: set[str] = set()
        for candidate in candidates:
            self.add(candidate)

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The non-dominated candidates, oldest first."""
        return tuple(self._front)

    def __len__(self) -> int:
        return len(self._front)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.front)

    def add(self, candidate: Candidate) -> Admission:
        """Take a candidate in if nothing on the front is at least as good in every objective.

        Raises:
            ConfigurationError: Its objectives are not those of the candidates before it.
        """
        self._check_names(candidate.scores)
        if candidate.recipe.digest in self._seen:
            return Admission(Status.DUPLICATE)
        self._seen.add(candidate.recipe.digest)
        values = np.asarray(candidate.scores.values, dtype=float)
        if not candidate.scores.valid or not np.isfinite(values).all() or self._covers(values):
            return Admission(Status.DOMINATED)
        return Admission(Status.NEW, self._admit(candidate, values))

    def best(self, preference: Preference, utility: Utility, normaliser: Normaliser) -> Candidate:
        """The candidate of the front with the largest utility; of equals the oldest.

        Raises:
            ConfigurationError: The front is empty.
        """
        if self._values is None:
            raise ConfigurationError("archive: a choice needs at least one valid candidate, got none")
        weights = np.asarray(preference.weights)
        return self._front[int(np.argmax(utility(normaliser(self._values), weights)))]

    def _check_names(self, scores: Scores) -> None:
        self._names = self._names or scores.names
        if scores.names != self._names:
            raise ConfigurationError(
                f"archive: all candidates share the objectives {', '.join(self._names)}, got {', '.join(scores.names)}"
            )

    def _covers(self, values: Array) -> bool:
        return self._values is not None and bool((self._values >= values).all(axis=1).any())

    def _admit(self, candidate: Candidate, values: Array) -> tuple[Candidate, ...]:
        old = np.empty((0, len(values))) if self._values is None else self._values
        worse: NDArray[np.bool_] = np.all(old <= values, axis=1)
        displaced = tuple(each for each, out in zip(self._front, worse, strict=True) if out)
        self._front = [each for each, out in zip(self._front, worse, strict=True) if not out] + [candidate]
        self._values = np.vstack([old[~worse], values])
        return displaced


def hypervolume(points: ArrayLike, reference: float | Array = 0.0) -> float:
    """The volume between the reference point and what the points dominate; every objective is to be large.

    Args:
        points: Normalised scores, shape (N, K). Points that are not above the reference in every objective, or not
            finite, add nothing.
        reference: The reference point (K,), or its coordinate where it is the same in every objective.
    """
    array = np.asarray(points, dtype=float)
    if array.size == 0:
        return 0.0
    inside = array[np.isfinite(array).all(axis=1) & (array > reference).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    return float(moocore.hypervolume(inside, ref=reference, maximise=True))


def below_nadir(front: ArrayLike, margin: float = 0.1) -> Array:
    """(K,) a reference point a little below the worst of a front (N, K) in each objective, N > 0.

    From there, unlike from 0, the volume tells apart fronts whose ends are known and whose middles differ (Ishibuchi et
    al., "How to specify a reference point in hypervolume calculation", 2018).

    Args:
        front: Points that do not dominate each other; every objective is to be large.
        margin: How far below, as a share of the front's extent.
    """
    points = np.asarray(front, dtype=float)
    low, high = points.min(axis=0), points.max(axis=0)
    reference: Array = low - margin * (high - low)
    return reference
