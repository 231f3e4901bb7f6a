"""What the stages need of whoever searches: each a protocol, so that agents know nothing of the stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from hm3.objectives import Array, Scores
from hm3.recipe import Recipe


class AskTell(Protocol):
    """What the offline stage needs of a searcher; `agents.Searcher` is one."""

    def ask(self, count: int) -> list[Recipe]:
        """The next recipes to be judged."""
        ...

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Their scores."""
        ...


class Saves(Protocol):
    """A searcher that can be saved between `tell` and the next `ask`; `agents.Searcher` is one."""

    def save(self, folder: Path) -> None:
        """Write everything that is needed to go on exactly as if nothing had happened."""
        ...

    def restore(self, folder: Path) -> None:
        """Go on from what a searcher built with the same arguments has saved."""
        ...


class Searcher(AskTell, Saves, Protocol):
    """What training needs; `agents.Searcher` is one."""


@runtime_checkable
class TakesPrefixes(Protocol):
    """A searcher that can learn from the early exits of what it has asked."""

    @property
    def needs_prefixes(self) -> bool:
        """Whether it wants them."""
        ...

    def tell(
        self, recipes: Sequence[Recipe], scores: Sequence[Scores], prefixes: Sequence[Sequence[Scores]] | None = None
    ) -> None:
        """Scores of the recipes, and for each of them those after 1, 2, … layers."""
        ...


@runtime_checkable
class Proposer(Protocol):
    """What the online stage needs of a trained agent."""

    def propose(
        self, preferences: Array, per_preference: int, *, greedy: bool = True, rng: np.random.Generator
    ) -> list[Recipe]:
        """Distinct stacks for each preference (P, K), greedy first."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A searcher that learns from stacks that it hasn't asked for."""

    def remember(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take note of judged stacks."""
        ...


@runtime_checkable
class Batches(Protocol):
    """A searcher that learns more from smaller rollouts than others."""

    batch: int
    """Most stacks that it should be asked for at once."""


@runtime_checkable
class Anneals(Protocol):
    """A searcher whose schedules follow how much of its training is over, from 0 to 1."""

    progress: float
