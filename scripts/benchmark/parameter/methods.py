"""The methods of the contest, a row each: what a level judges within a number of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from agents.merge_settings import MAP, MMMO, NSGA2, LinearGrid, RandomSettings
from hm3.levels import MergeSearch, ParetoMerging
from hm3.objectives import Candidate
from scripts.benchmark.parameter.lattice import judged_lattice
from scripts.benchmark.parameter.site import Site


class Method(Protocol):
    """A way to spend evaluations on merges."""

    @property
    def title(self) -> str:
        """What the table calls it."""
        ...

    @property
    def seeded(self) -> bool:
        """Whether a seed changes what it does."""
        ...

    def judged(self, site: Site, budget: int) -> Sequence[Candidate]:
        """Everything that it evaluates, in order; the sources are known anyway."""
        ...


@dataclass(frozen=True)
class Sources:
    """The given models alone."""

    title: str = "sources alone"
    seeded: bool = False

    def judged(self, site: Site, budget: int) -> Sequence[Candidate]:
        """Nothing more."""
        return ()


@dataclass(frozen=True)
class Searched:
    """A search over merge settings.

    Attributes:
        title: What the table calls it.
        proposer: Who proposes.
        settings: Of the level.
        seeded: Whether a seed changes what it does.
    """

    title: str
    proposer: Callable[..., Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeded: bool = True

    def judged(self, site: Site, budget: int) -> Sequence[Candidate]:
        """The merges in the order in which they were asked for."""
        level = MergeSearch(self.proposer, "merge", budget=budget, **self.settings)
        level.known(site.given)
        return level(site.session, site.given, site.folder).judged


@dataclass(frozen=True)
class Trained:
    """Pareto Merging: one training, then its models for a lattice of preferences, which are its evaluations.

    Attributes:
        title: What the table calls it.
        settings: Of the level.
        seeded: Whether a seed changes what it does.
    """

    title: str
    settings: Mapping[str, Any]
    seeded: bool = True

    def judged(self, site: Site, budget: int) -> Sequence[Candidate]:
        """The models at the corners of the lattice, its middle, and what fills it evenly."""
        merged = ParetoMerging(**self.settings)(site.session, site.given, site.folder)
        assert merged.tensor is not None
        return judged_lattice(site, merged.tensor, budget)


_LINEAR = {"method": "linear", "searched": {"weight": [0.0, 1.0]}, "sparsity": False}
_TASKS = {"sparsity": False}
_QUADRATIC = {"method": "task_arithmetic", "searched": {"weight": [0.0, 1.0]}, "sparsity": False}

_MM_MO = partial(MMMO, samples=8, restarts=1, steps=10)  # half of the defaults: it costs more than the merges

METHODS: Mapping[str, Method] = {
    "sources": Sources(),
    "linear_grid": Searched("grid of linear merges", partial(LinearGrid, points=100), _LINEAR, seeded=False),
    "random": Searched("random search, 2K settings", RandomSettings, _TASKS),
    "nsga2": Searched("NSGA-II, 2K settings", NSGA2, _TASKS),
    "map": Searched("MAP", MAP, _QUADRATIC),
    "mm_mo": Searched("MM-MO", _MM_MO),
    "mm_mo_no_weak_to_strong": Searched("MM-MO without weak-to-strong", partial(_MM_MO, weak_to_strong=False)),
    "mm_mo_no_screening": Searched("MM-MO without screening", partial(_MM_MO, screening=False)),
    "mm_mo_no_sparsity": Searched("MM-MO without sparsity", _MM_MO, _TASKS),
    "pareto_merging_data_free": Trained("Pareto Merging, data-free", {"losses": "data_free"}),
    "pareto_merging_entropy": Trained("Pareto Merging, entropy", {"losses": "entropy"}),
    "pareto_merging": Trained("Pareto Merging, task loss", {"losses": "task"}),
}
