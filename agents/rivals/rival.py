"""What all rivals have in common: start, legality, novelty, and how they come back after a stop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.memory import writable
from agents.rivals.fresh import fresh
from agents.rivals.genomes import Genomes
from agents.rivals.journal import Journal, Told
from agents.rivals.start import Start
from agents.settings import SEARCH_RULES, check_settings
from envs.preferences import PreferenceSampler
from envs.space import Ints, StackSpace
from hm3.checks import whole
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed


class Rival(ABC):
    """Asks for the sources themselves and natural draws until it knows `initial` stacks, then for what it proposes.

    Nothing is asked twice as long as a walk of legal changes leads to something new. Stacks that were not asked for may
    be told, too; those that the space does not allow are passed over, and so are layers that follow a preference other
    than the default: a genome has no gene for it.

    A subclass sets its own settings before it calls this constructor, which calls `_begin`.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws preferences.
        seed: Of everything random.
        initial: Stacks that must be known before the first own proposal.
        beta: Strength of the natural prior at the start.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int,
        initial: int,
        beta: float,
    ) -> None:
        check_settings(SEARCH_RULES, beta=beta)
        self._space, self._normaliser, self._utility, self._sampler = space, normaliser, utility, sampler
        self._initial = whole("agent.initial", initial, 1)
        self._genomes, self._start = Genomes(space), Start(space, beta)
        self._identities = self._genomes.encode(self._start.identities())
        self._restart(whole("seed", seed, 0))

    def ask(self, count: int) -> list[Recipe]:
        """Propose `count` stacks."""
        asked = self._fresh(self._next(count))
        self._seen.update(map(bytes, asked))
        self._journal.entries.append(count)
        return [self._space.recipe(*stack) for stack in self._genomes.decode(asked)]

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Learn from what was judged."""
        own = [(recipe, score) for recipe, score in zip(recipes, scores, strict=True) if self._has(recipe)]
        self._take([Told(self._space.encode(recipe), score.values, score.valid) for recipe, score in own])

    def save(self, folder: Path) -> None:
        """Write what was asked and told."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "agent.json").write_text(sealed(self._journal.to_json()), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Do it all again, from the start; it takes as long as the proposals took at first."""
        past = Journal.from_json(unsealed(folder / "agent.json"))
        self._restart(past.seed)
        for entry in past.entries:
            if isinstance(entry, int):
                self.ask(entry)
            else:
                self._take(entry)

    @abstractmethod
    def _begin(self) -> None:
        """Forget everything; `_rng` is new."""

    @abstractmethod
    def _propose(self, count: int) -> Ints:
        """(at most count, G) genomes of legal stacks; those that were asked before will be changed further."""

    @abstractmethod
    def _learn(self, genomes: Ints, values: Array) -> None:
        """Take note of genomes (n, G), n > 0, and their normalised scores (n, K)."""

    def _fail(self, genomes: Ints) -> None:  # noqa: B027 # most need nothing
        """Take note of genomes (n, G) whose models gave no scores."""

    def _restart(self, seed: int) -> None:
        self._seed, self._rng, self._journal = seed, np.random.default_rng(seed), Journal(seed)
        self._seen: set[bytes] = set()  # asked or told
        self._known: dict[bytes, Array | None] = {}  # normalised scores of what was told, None where there are none
        self._begin()

    def _next(self, count: int) -> Ints:
        """(count, G) some may have been asked before."""
        missing = self._identities[[bytes(genome) not in self._seen for genome in self._identities]]
        starting = len(missing) > 0 or len(self._known) < self._initial
        first = missing[:count] if starting else self._propose(count)
        return np.vstack([first, self._natural(count - len(first))])

    def _natural(self, count: int) -> Ints:
        return self._genomes.encode(self._start.natural(count, self._rng))

    def _fresh(self, genomes: Ints, *above: Ints) -> Ints:
        """The genomes; those that were asked before, or stand above, changed until they are new, if they can be."""
        taken = self._seen.union(*(map(bytes, rows) for rows in above))
        return fresh(self._space, self._genomes, genomes, taken, self._rng)

    def _take(self, told: Sequence[Told]) -> None:
        self._journal.entries.append(told)
        genomes = self._genomes.encode([one.stack for one in told])
        self._seen.update(map(bytes, genomes))
        values = self._normaliser([one.values for one in told]) if told else np.zeros((0, self._sampler.objectives))
        valid = np.array([one.valid for one in told], dtype=bool)
        for genome, row, fine in zip(genomes, values, valid, strict=True):
            self._known[bytes(genome)] = row if fine else None
        self._fail(genomes[~valid])
        if valid.any():
            self._learn(genomes[valid], values[valid])

    def _has(self, recipe: Recipe) -> bool:
        return writable(self._space, recipe) and self._space.recipe(*self._space.encode(recipe)) == recipe
