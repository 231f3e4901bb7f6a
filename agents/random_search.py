"""Random search: legal stacks, drawn with a leaning towards the natural order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.generators import set_state, state_of
from agents.settings import SEARCH_RULES, check_settings
from envs.episodes import Episodes
from envs.natural import natural_prior
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.objectives import Array, Scores
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed


class RandomSearch:
    """Draws every stack from the same distribution and learns nothing.

    Args:
        space: What may be stacked.
        sampler: Draws the preference that a source which follows preferences gets in each stack; None for its default.
        seed: Of the generator.
        beta: Strength of the natural prior; 0 draws every action uniformly from the legal ones.
    """

    def __init__(
        self, space: StackSpace, sampler: PreferenceSampler | None = None, *, seed: int = 0, beta: float = 2.0
    ) -> None:
        self._space = space
        self._sampler = None if space.pool.conditioned is None else sampler
        check_settings(SEARCH_RULES, beta=beta)
        self._logits = beta * natural_prior(space)
        self._rng = np.random.default_rng(seed)

    def ask(self, count: int) -> list[Recipe]:
        """Draw `count` stacks."""
        preferences = None if self._sampler is None else self._sampler(count, self._rng)
        return random_stacks(self._space, self._logits, count, self._rng, preferences)

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Nothing is learnt."""

    def save(self, folder: Path) -> None:
        """Write the generator's state."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "agent.json").write_text(sealed(state_of(self._rng)), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from a saved state."""
        set_state(self._rng, unsealed(folder / "agent.json"))


def random_stacks(
    space: StackSpace, logits: Array, count: int, rng: np.random.Generator, preferences: Array | None = None
) -> list[Recipe]:
    """Stacks whose actions are drawn from `logits` (tokens, actions) at the last token, over what is legal.

    Args:
        space: What is legal.
        logits: (tokens, actions)
        count: How many stacks.
        rng: Of the actions.
        preferences: (count, K) which sources that follow preferences get; None for their default.
    """
    episodes = Episodes(space, count)
    if preferences is not None:
        episodes.reset(preferences)
    while len(rows := episodes.running):
        noisy = logits[episodes.tokens(rows)] + rng.gumbel(size=(len(rows), space.actions))
        episodes.step(np.where(episodes.masks(rows), noisy, -np.inf).argmax(axis=1), rows)
    return episodes.recipes()
