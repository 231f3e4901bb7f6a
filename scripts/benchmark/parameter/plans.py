"""How much of the contest is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.benchmark.parameter.hierarchy import LEVELS, Run
from scripts.benchmark.parameter.methods import METHODS
from scripts.benchmark.parameter.trials import Trial

FIRST_ONLY = (  # at the first budget, the published one
    "mm_mo_no_weak_to_strong",
    "mm_mo_no_screening",
    "mm_mo_no_sparsity",
    "pareto_merging_data_free",
    "pareto_merging_entropy",
)


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        seeds: How many.
        budgets: Evaluations after which fronts are looked at.
        methods: Rows of `METHODS`.
        levels: Parameter levels under the architecture level.
        stacked: Evaluations of the main job in all, the parameter level's included.
        front: Stacks that its front keeps at most.
        search_items: Of each task; None for all.
        test_items: Of each task; None for all.
        overrides: Further settings of the main job.
    """

    seeds: int
    budgets: tuple[int, ...]
    methods: tuple[str, ...]
    levels: tuple[str, ...]
    stacked: int
    front: int = 24
    search_items: int | None = None
    test_items: int | None = None
    overrides: tuple[str, ...] = ()

    def trials(self, seed: int) -> list[Trial]:
        """Every method with every seed, the longest first, so that the last ones to end are short."""
        asked = [trial for number in range(self.seeds) for trial in self._trials(seed + number, first=not number)]
        return sorted(asked, key=lambda trial: -trial.budgets[-1])

    def runs(self, seed: int) -> list[Run]:
        """The main job under every level with every seed."""
        numbers = range(seed, seed + self.seeds)
        return [Run(level, n, self.stacked, self.front, self.overrides) for n in numbers for level in self.levels]

    def _trials(self, seed: int, *, first: bool) -> Iterator[Trial]:
        for name in self.methods:
            if first or METHODS[name].seeded:
                budgets = self.budgets[:1] if name in FIRST_ONLY else self.budgets
                yield Trial(name, seed, budgets, self.search_items, self.test_items)


WHOLE = Plan(
    5,
    (30, 100),
    tuple(METHODS),
    tuple(LEVELS),
    200,
    front=16,
    search_items=96,
    test_items=192,
    overrides=("evaluator.search_items=96", "evaluator.test_items=192"),
)
QUICK = Plan(
    1,
    (12,),
    ("sources", "random", "mm_mo", "pareto_merging_data_free"),
    (),
    0,
    search_items=16,
    test_items=16,
)
