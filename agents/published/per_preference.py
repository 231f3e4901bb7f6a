"""One run after the other, each for one preference and with new networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from agents.generators import global_states, set_global_states
from agents.ppo import PPO
from envs.preferences import Around, Dirichlet, PreferenceSampler
from hm3.checks import whole
from hm3.errors import ConfigurationError
from hm3.lattice import das_dennis
from hm3.objectives import Array, Scores
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed

_FILE = "per_preference.json"

Build = Callable[[PreferenceSampler, int, int], PPO]
"""New networks that learn for a sampler's preferences, from a seed, in so many evaluations."""


class PerPreference:
    """Goes through a lattice of preferences; each has an equal part of the budget and an agent that knows no other.

    The agent's observation holds the preference, which never changes while the agent lives: to the networks it is a
    bias, nothing that tells one preference from another. After the last preference it begins again with the first,
    with new networks. A batch that a run's end divides is written by both runs' agents; the old one is then dropped.

    Args:
        build: Makes the agent of a run.
        objectives: Number of objectives, K.
        divisions: Of the lattice (Das and Dennis, 1998).
        evaluations: The budget: stacks that are asked for on the way through the lattice, repeats included.
        seed: Of everything.
    """

    def __init__(self, build: Build, *, objectives: int, divisions: int, evaluations: int, seed: int) -> None:
        self.preferences = das_dennis(objectives, whole("agent.divisions", divisions, 0))
        if whole("agent.evaluations", evaluations, 1) < len(self.preferences):
            rule = f"at least one for each of {len(self.preferences)} preferences"
            raise ConfigurationError(f"agent.evaluations: {rule}, got {evaluations}")
        self._build, self._evaluations, self._seed = build, evaluations, seed
        self._begin(0)

    @property
    def preference(self) -> Array:
        """(K,) the preference of the present run."""
        weights: Array = self.preferences[self.run % len(self.preferences)]
        return weights

    @property
    def share(self) -> int:
        """Evaluations of the present run."""
        number, runs = self.run % len(self.preferences), len(self.preferences)
        return self._evaluations * (number + 1) // runs - self._evaluations * number // runs

    def ask(self, count: int) -> list[Recipe]:
        """Write `count` stacks for the present preference, and for the next ones where its part is used up."""
        recipes: list[Recipe] = []
        self._pending = 0
        while len(recipes) < count:
            if self._asked >= self.share:
                self._begin(self.run + 1)
            self._pending = min(count - len(recipes), self.share - self._asked)
            recipes += self.agent.ask(self._pending)
            self._asked += self._pending
        return recipes

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Let the present run's agent learn from what it wrote, the end of the batch.

        Raises:
            ValueError: That is not what it was asked for last.
        """
        if self._pending:
            self.agent.tell(recipes[-self._pending :], scores[-self._pending :])

    def save(self, folder: Path) -> None:
        """Write the present agent's files, and where the lattice stands."""
        self.agent.save(folder)
        state = {"seed": self._seed, "run": self.run, "asked": self._asked}
        (folder / _FILE).write_text(sealed(state), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from a saved state."""
        state = unsealed(folder / _FILE)
        self._seed = state["seed"]
        self._begin(state["run"])
        self._asked = state["asked"]
        self.agent.restore(folder)

    def _begin(self, run: int) -> None:
        """Start a run: new networks, which nothing but its number and the seed decides."""
        self.run, self._asked, self._pending = run, 0, 0
        sampler = Around(Dirichlet(len(self.preference)), tuple(self.preference.tolist()), share=1.0, spread=0.0)
        seed = int(np.random.SeedSequence([self._seed, run]).generate_state(1)[0])
        with _globals_kept():
            self.agent = self._build(sampler, seed, self.share)


@contextmanager
def _globals_kept() -> Iterator[None]:
    """Bring the global generators back afterwards: SB3 seeds them whenever a model is built."""
    states = global_states()
    try:
        yield
    finally:
        set_global_states(states)
