"""Where the preferences of episodes come from. Stateless: the caller owns the generator, so it can save its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hm3.errors import ConfigurationError
from hm3.objectives import Array

TRIES = 1000


class PreferenceSampler(Protocol):
    """Draws preferences."""

    @property
    def objectives(self) -> int:
        """Number of objectives, K."""
        ...

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """(count, K) weights on the simplex."""
        ...


@dataclass(frozen=True)
class Dirichlet:
    """Uniform on the simplex, with a share of its corners (all weight on one objective).

    Attributes:
        objectives: Number of objectives, K.
        corners: Share of samples that are corners.
    """

    objectives: int
    corners: float = 0.1

    def __post_init__(self) -> None:
        if self.objectives < 1:
            raise ConfigurationError(f"objectives: at least 1, got {self.objectives}")
        _check_share("corners", self.corners)

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """(count, K) weights on the simplex."""
        inner = rng.dirichlet(np.ones(self.objectives), size=count)
        corner = np.eye(self.objectives)[rng.integers(self.objectives, size=count)]
        return np.where(rng.random((count, 1)) < self.corners, corner, inner)


@dataclass(frozen=True)
class Around:
    """A share of samples near one preference; the others from another sampler.

    Attributes:
        base: Draws the others.
        centre: (K,) the user's weights.
        share: Share of samples near the centre.
        spread: How far from the centre they go: up to this share of each is a uniform sample.
    """

    base: PreferenceSampler
    centre: tuple[float, ...]
    share: float = 0.5
    spread: float = 0.3

    def __post_init__(self) -> None:
        _check_share("share", self.share)
        _check_share("spread", self.spread)
        if len(self.centre) != self.base.objectives:
            raise ConfigurationError(f"centre: {self.base.objectives} weights, got {len(self.centre)}")

    @property
    def objectives(self) -> int:
        """Number of objectives, K."""
        return self.base.objectives

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """(count, K) weights on the simplex."""
        away = rng.uniform(0, self.spread, size=(count, 1))
        near = (1 - away) * np.array(self.centre) + away * rng.dirichlet(np.ones(self.objectives), size=count)
        return np.where(rng.random((count, 1)) < self.share, near, self.base(count, rng))


@dataclass(frozen=True)
class Holdout:
    """Another sampler without what lies near preferences that are to stay unseen.

    Attributes:
        base: Draws the samples.
        kept_out: Preferences that nobody may train on.
        radius: L2 distance that samples keep from each.
    """

    base: PreferenceSampler
    kept_out: tuple[tuple[float, ...], ...]
    radius: float = 0.05

    def __post_init__(self) -> None:
        for weights in self.kept_out:
            if len(weights) != self.base.objectives:
                raise ConfigurationError(f"kept_out: {self.base.objectives} weights each, got {len(weights)}")

    @property
    def objectives(self) -> int:
        """Number of objectives, K."""
        return self.base.objectives

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """(count, K) weights on the simplex.

        Raises:
            ConfigurationError: The balls leave next to nothing of what the base draws.
        """
        kept = np.zeros((0, self.objectives))
        for _ in range(TRIES):
            samples = self.base(count, rng)
            kept = np.concatenate([kept, samples[self.allows(samples)]])
            if len(kept) >= count:
                return kept[:count]
        raise ConfigurationError(f"kept_out: must leave preferences to train on, got radius {self.radius} around all")

    def allows(self, preferences: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(N,) whether preferences (N, K) are outside every ball."""
        centres = np.array(self.kept_out).reshape(-1, self.objectives)
        distances = np.linalg.norm(preferences[:, None] - centres, axis=-1)
        outside: np.ndarray[tuple[int], np.dtype[np.bool_]] = (distances > self.radius).all(axis=1)
        return outside


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{name}: a share from 0 to 1, got {value}")
