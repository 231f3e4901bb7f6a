"""MAP: amortised Pareto fronts by quadratic surrogates (arXiv 2406.07529)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import moocore
import numpy as np

from agents.merge_settings.design import design
from agents.merge_settings.fresh import fresh, uniform
from agents.merge_settings.gains import most_hypervolume
from agents.merge_settings.informative import informative, report_constant
from agents.merge_settings.proposer import Told
from agents.merge_settings.quadratic import QuadraticSurrogate, coefficients
from agents.merge_settings.surrogate_front import surrogate_front
from hm3.checks import whole
from hm3.objectives import Array

APART = 1e-3  # merges whose settings all differ by less are the same merge

_log = logging.getLogger(__name__)


class MAP:
    """Judges a design, fits a quadratic to each objective, and has points of the quadratics' front judged for real.

    Every batch fits anew to all that was told. Rows with NaN are left out, and so are objectives that are constant.

    Args:
        dimensions: Of the cube, D.
        tasks: Not needed.
        names: The objectives, for what is said about them.
        seed: Of the design and of NSGA-III.
        initial: Points of the design; None for (D + 1)(D + 2), twice as many as a quadratic has coefficients.
        population: Of NSGA-III on the surrogate.
        generations: Of NSGA-III on the surrogate.

    Raises:
        ConfigurationError: A setting is not what it must be.
    """

    def __init__(
        self,
        *,
        dimensions: int,
        tasks: int = 0,
        names: Sequence[str] = (),
        seed: int = 0,
        initial: int | None = None,
        population: int = 100,
        generations: int = 40,
    ) -> None:
        self._dimensions = whole("proposer.dimensions", dimensions, 1)
        everything = 2 * coefficients(dimensions)
        self._initial = whole("parameter.proposer.initial", everything if initial is None else initial, 2)
        self._population = whole("parameter.proposer.population", population, 4)
        self._generations = whole("parameter.proposer.generations", generations, 1)
        self._seed = whole("seed", seed, 0)
        self._names, self._reported = tuple(names), False

    @property
    def initial(self) -> int:
        """Points of the design."""
        return self._initial

    def propose(self, told: Told, count: int) -> Array:
        """What is left of the design; then points of the surrogate's front that add most to what is known."""
        left = self._initial - len(told.points)
        if left > 0:
            planned = design(self._dimensions, self._initial, np.random.default_rng(self._seed))
            return fresh(planned, told.points)[: min(count, left)]
        known, rng = self._known(told), np.random.default_rng([self._seed, len(told.points)])
        if not known.values.size:
            return uniform(count, told.points, rng)
        surrogate = QuadraticSurrogate.fit(known.points, known.values)
        _log.info("MAP: left out, a merge is missed by %s", np.array2string(surrogate.errors, precision=3))
        found = fresh(self._front(surrogate, known, rng), told.points, APART)
        best = most_hypervolume(surrogate(found), surrogate(known.points), count)
        return found[best] if best else uniform(count, told.points, rng)

    def _known(self, told: Told) -> Told:
        """What the surrogate can learn from; what it cannot is said once."""
        known = informative(told)
        if known.values.shape[1] < told.values.shape[1] and len(known.points) > 1 and not self._reported:
            self._reported = True
            report_constant(self._names, told)
        return known

    def _front(self, surrogate: QuadraticSurrogate, known: Told, rng: np.random.Generator) -> Array:
        """Points of the surrogate's front; the evolution starts at what is known to be good and at random."""
        good = known.points[moocore.is_nondominated(known.values, maximise=True)]
        objectives, scale = known.values.shape[1], known.values.std(axis=0)
        population = max(self._population, objectives)
        start = np.vstack([good, rng.random((population, self._dimensions))])[:population]
        return surrogate_front(
            lambda points: surrogate(points) / scale, start, objectives, generations=self._generations, seed=self._seed
        )
