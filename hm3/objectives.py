"""Scores, preferences and the utility that a preference makes of scores. NumPy only.

Larger is better in every `Scores`. Normalisation: 0 is an objective's floor, 1 the best source; nothing is clipped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hm3.checks import number
from hm3.errors import ConfigurationError
from hm3.recipe import Recipe

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Objective:
    """A task score that is to be large.

    Attributes:
        name: What users call it: ``math``.
        task: Name of the lm-eval task that gives the score; empty for the cost of depth.
        metric: The task's metric that steers search, front and choice.
        floor: The score that counts as 0 after normalisation (chance level, usually 0).
    """

    name: str
    task: str
    metric: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Scores:
    """One model's score for each objective; larger is better.

    Attributes:
        names: The objectives, in the run's order.
        values: The scores in raw units, same order.
        valid: False where a model gave NaN or infinity; its values are then the worst that exist.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    valid: bool = True

    def as_dict(self) -> dict[str, float]:
        """Objective -> raw score."""
        return dict(zip(self.names, self.values, strict=True))


class Evaluator(Protocol):
    """Judges recipes, many at a time: a batch shares work that single calls would repeat."""

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives, in the order of every `Scores`."""
        ...

    def __call__(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """One `Scores` for each recipe, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recipe that has been judged."""

    recipe: Recipe
    scores: Scores

    def to_json(self) -> dict[str, Any]:
        """The candidate in JSON's types."""
        return {"recipe": self.recipe.to_json(), "scores": asdict(self.scores)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Candidate:
        """What `to_json` gave."""
        names, values, valid = (value["scores"][key] for key in ("names", "values", "valid"))
        return cls(Recipe.from_json(value["recipe"]), Scores(tuple(names), tuple(values), valid))


@dataclass(frozen=True, slots=True)
class Preference:
    """Weights on the objectives, on the simplex (non-negative, sum 1)."""

    names: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, weights: Mapping[str, float] | None, names: Sequence[str]) -> Preference:
        """The preference that a user stated, scaled to sum 1; objectives left out weigh 0.

        Args:
            weights: Objective -> weight, or None for equal weights.
            names: All objectives of the run.

        Raises:
            ConfigurationError: An unknown objective, a weight that is negative or not finite, or none above 0.
        """
        if weights is None:
            weights = dict.fromkeys(names, 1.0)
        for name, weight in weights.items():
            _check_weight(name, weight, names)
        total = math.fsum(weights.values())
        if total <= 0:
            raise ConfigurationError(f"preference.weights: at least one above 0, got {dict(weights)}")
        return cls(tuple(names), tuple(float(weights.get(name, 0.0)) / total for name in names))

    def as_dict(self) -> dict[str, float]:
        """Objective -> weight."""
        return dict(zip(self.names, self.weights, strict=True))


def _check_weight(name: str, weight: object, names: Sequence[str]) -> None:
    if name not in names:
        raise ConfigurationError(f"preference.weights: objectives are {', '.join(names)}, got {name!r}")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
        raise ConfigurationError(f"preference.weights.{name}: a finite number of at least 0, got {weight!r}")


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Raw scores to units in which 0 is the floor and 1 the best source, objective by objective."""

    names: tuple[str, ...]
    floors: tuple[float, ...]
    bests: tuple[float, ...]

    @classmethod
    def fit(cls, names: Sequence[str], floors: Sequence[float], source_scores: Sequence[Scores]) -> Normaliser:
        """Take 1 from the best of the sources' scores on the search split.

        Raises:
            ConfigurationError: No source is above the floor of some objective.
        """
        bests = np.max([scores.values for scores in source_scores], axis=0)
        for name, floor, best in zip(names, floors, bests, strict=True):
            if not best > floor:
                raise ConfigurationError(f"objective {name}: some source must be above its floor {floor}, best {best}")
        return cls(tuple(names), tuple(floors), tuple(float(best) for best in bests))

    def __call__(self, values: Sequence[float] | Sequence[Sequence[float]] | Array) -> Array:
        """Normalise scores of shape (..., K); the result has the same shape."""
        floors = np.asarray(self.floors)
        result: Array = (np.asarray(values, dtype=float) - floors) / (np.asarray(self.bests) - floors)
        return result


class Utility(Protocol):
    """The number that preferences (..., K) make of normalised scores (..., K): shape (...), larger is better."""

    def __call__(self, normalised: Array, weights: Array) -> Array:
        """Utility of each score vector under its preference."""
        ...


@dataclass(frozen=True, slots=True)
class Tchebycheff:
    """Augmented Tchebycheff distance to a reference above everything, negated.

    ``u = -[max_k w_k (z - f_k) + rho * sum_k w_k (z - f_k)]``. The reference must stay above every score: where a
    score passes it, the objective with the smallest weight would rule (hence 1.5, not the ideal point 1).
    """

    reference: float = 1.5
    rho: float = 0.05

    def __post_init__(self) -> None:
        number("utility.reference", self.reference, 0, above=True)
        number("utility.rho", self.rho, 0)

    def __call__(self, normalised: Array, weights: Array) -> Array:
        """Utility of each score vector under its preference."""
        distance = weights * (self.reference - normalised)
        result: Array = -(distance.max(axis=-1) + self.rho * distance.sum(axis=-1))
        return result


@dataclass(frozen=True, slots=True)
class Linear:
    """Weighted sum of normalised scores: finds the convex part of a front only."""

    def __call__(self, normalised: Array, weights: Array) -> Array:
        """Utility of each score vector under its preference."""
        result: Array = (weights * normalised).sum(axis=-1)
        return result


UTILITIES: dict[str, type[Tchebycheff] | type[Linear]] = {"tchebycheff": Tchebycheff, "linear": Linear}
