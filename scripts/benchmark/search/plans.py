"""How much of the contest is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.benchmark.search.methods import METHODS, Method
from scripts.benchmark.search.trials import Trial


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        seeds: How many.
        methods: Keys of `METHODS`.
        budget: Different stacks that a method has at most, whatever its own budget.
    """

    seeds: int
    methods: tuple[str, ...] = tuple(METHODS)
    budget: int | None = None

    def trials(self, methods: Mapping[str, Method], table: str, seed: int) -> list[Trial]:
        """Every method with every seed, the slowest methods first, so that the last ones to end are short."""
        numbers = range(seed, seed + self.seeds)
        return [
            Trial(key, method, table, number, min(method.budget, self.budget or method.budget))
            for key, method in reversed(list(methods.items()))
            for number in numbers
        ]


WHOLE = Plan(seeds=10)
QUICK = Plan(seeds=2, methods=("natural", "local", "nsga3", "ppo", "hm3"), budget=48)
