"""Settings that a method cannot merge with become the nearest that it can, so that a search space has no holes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hm3.parameter.methods import METHODS
from hm3.parameter.specification import Settings

Block = tuple[Sequence[float], Settings]  # weights and settings
Mending = Callable[[Sequence[float], Settings], Block]

_LEAST = 1e-6  # a sum of weights, or a share, below it counts as 0
_SHARE = 0.99  # of the room that a density leaves: the largest epsilon stays clear of rounding


def mended(method: str, weights: Sequence[float], settings: Settings) -> Block:
    """Weights and settings with the smallest changes that make a merge of them.

    Args:
        method: A row of `METHODS`.
        weights: One for each parent.
        settings: All that are stated or searched, within the method's limits.
    """
    return _MENDINGS[method](weights, settings) if method in _MENDINGS else (weights, settings)


def _linear(weights: Sequence[float], settings: Settings) -> Block:
    """Weights that sum to 0 cannot be normalised: even ones instead."""
    normalises = settings.get("normalize", METHODS["linear"].parameters["normalize"].default)
    return ([1.0] * len(weights) if normalises and sum(weights) <= _LEAST else weights), settings


def _della(weights: Sequence[float], settings: Settings) -> Block:
    """Mergekit's rule: density ± epsilon lie within (0, 1), unless the density is 0 or 1."""
    densities, epsilons = (_each(settings, name, len(weights)) for name in ("density", "epsilon"))
    allowed = [_allowed(density, epsilon) for density, epsilon in zip(densities, epsilons, strict=True)]
    return weights, {**settings, "epsilon": allowed}


def _allowed(density: float, epsilon: float) -> float:
    room = min(density, 1 - density)
    return min(epsilon, _SHARE * room) if room > _LEAST else 0.0


def _each(settings: Settings, name: str, parents: int) -> list[float]:
    value = settings.get(name, float(METHODS["della"].parameters[name].default))
    return list(value) if isinstance(value, Sequence) else [float(value)] * parents


_MENDINGS: Mapping[str, Mending] = {"linear": _linear, "della": _della}
