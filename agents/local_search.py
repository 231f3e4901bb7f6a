"""Local search: change the best known stack for a preference a little."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.generators import set_state, state_of
from agents.move_statistics import MoveStatistics
from agents.moves import MOVES, cross, mutate
from agents.random_search import random_stacks
from agents.settings import SEARCH_RULES, check_settings
from envs.natural import natural_prior
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.objectives import Array, Candidate, Normaliser, Scores, Utility
from hm3.recipe import Recipe, Source
from hm3.sealed import sealed, unsealed

TRIES = 8  # to find a neighbour that has not been asked for yet
JOIN = len(MOVES)  # the move that joins two stacks
RETUNE = JOIN + 1  # the move that keeps the layers, and gives those that follow a preference another one


class LocalSearch:
    """Mutates, for each sampled preference, the stack of the front that suits it best.

    Moves that have led onto the front are tried more often.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Draws the preference that each proposal is to improve.
        seed: Of the generator.
        beta: Strength of the natural prior in restarts.
        restart: Share of proposals that start anew at random.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        beta: float = 2.0,
        restart: float = 0.1,
    ) -> None:
        check_settings(SEARCH_RULES, beta=beta, restart=restart)
        self._space, self._normaliser, self._utility, self._sampler = space, normaliser, utility, sampler
        self._logits = beta * natural_prior(space)
        self._restart = restart
        self._rng = np.random.default_rng(seed)
        self._seen: set[str] = set()
        self._moves = MoveStatistics(len(MOVES) + 1 + (space.pool.conditioned is not None))
        self.front: list[Candidate] = []

    def ask(self, count: int) -> list[Recipe]:
        """Propose `count` stacks: neighbours of the front, and restarts."""
        preferences = self._sampler(count, self._rng)
        fresh = self._rng.random(count) < self._restart
        proposals = [None if new else self._neighbour(row) for new, row in zip(fresh, preferences, strict=True)]
        anew = preferences[[proposal is None for proposal in proposals]]
        spare = iter(random_stacks(self._space, self._logits, len(anew), self._rng, anew))
        recipes = [proposal or next(spare) for proposal in proposals]
        self._seen.update(recipe.digest for recipe in recipes)
        return recipes

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Keep what no other known stack dominates; stacks that were not asked for are welcome too."""
        known = {candidate.recipe.digest: candidate for candidate in self.front}
        known |= {recipe.digest: Candidate(recipe, score) for recipe, score in zip(recipes, scores, strict=True)}
        self._seen.update(known)
        self.front = non_dominated(list(known.values()))
        self._moves.reward({candidate.recipe.digest for candidate in self.front})

    def save(self, folder: Path) -> None:
        """Write the front, what has been asked for, and the generator's state."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "front": [candidate.to_json() for candidate in self.front],
            "seen": sorted(self._seen),
            "moves": self._moves.to_json(),
            "generator": state_of(self._rng),
        }
        (folder / "agent.json").write_text(sealed(state), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from a saved state."""
        state = unsealed(folder / "agent.json")
        self.front = [Candidate.from_json(one) for one in state["front"]]
        self._seen = set(state["seen"])
        self._moves = MoveStatistics.from_json(state["moves"])
        set_state(self._rng, state["generator"])

    def _neighbour(self, preference: Array) -> Recipe | None:
        """A new neighbour of the best stack for a preference (K,), or None to start anew."""
        if not self.front:
            return None
        values = self._normaliser([candidate.scores.values for candidate in self.front])
        best = self.front[int(self._utility(values, preference).argmax())].recipe
        wanted = self._space.pool.conditioned_on(preference.tolist())
        for _ in range(TRIES):
            move = self._moves.draw(self._rng)
            recipe = self._changed(best, move, wanted)
            if recipe and recipe.digest not in self._seen:
                self._moves.used(move, recipe.digest)
                return recipe
        return None

    def _changed(self, best: Recipe, move: int, wanted: Source | None) -> Recipe | None:
        """A stack changed a little, joined with another of the front, or with `wanted` as what follows preferences."""
        if move == RETUNE:
            return self._space.recipe(*self._space.encode(best), wanted)
        if move == JOIN:
            return self._joined(best, self.front[int(self._rng.integers(len(self.front)))].recipe, wanted)
        changed = mutate(self._space, self._space.encode(best), self._rng, move)
        return self._space.recipe(*changed, self._space.conditioned_of(best) or wanted) if changed else None

    def _joined(self, best: Recipe, other: Recipe, wanted: Source | None) -> Recipe | None:
        """Two stacks joined; layers that follow a preference keep that of either stack, by chance."""
        joined = cross(self._space, self._space.encode(best), self._space.encode(other), self._rng)
        had = [one for one in map(self._space.conditioned_of, (best, other)) if one]
        kept = had[int(self._rng.integers(len(had)))] if had else wanted
        return self._space.recipe(*joined, kept) if joined else None


def non_dominated(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that no other is at least as good as everywhere and better somewhere."""
    values = np.array([candidate.scores.values for candidate in candidates])
    at_least = (values[:, None] >= values).all(axis=-1)
    better = at_least & ~at_least.T  # [i, j]: i dominates j
    return [candidates[index] for index in np.flatnonzero(~better.any(axis=0)).tolist()]
