"""PPO whose updates begin late and always see the same known stacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agents.memory import writable
from agents.ppo import PPO
from agents.published.rewritten import rewritten, stacked
from agents.rollout import Rollout
from hm3.objectives import Array, Scores
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed

_FILE = "seeded.json"


class SeededPPO(PPO):
    """As HM3's appendix B.3 has it: the sources' own paths are in the buffer of every update.

    PPO takes them for its own, as in the paper. Nothing is learnt from what is played before the first update.

    Args:
        *args: As of `PPO`.
        known: Judged stacks that join every update, as far as episodes can write them.
        warm_up: Episodes before the first update.
        **settings: As of `PPO`.
    """

    def __init__(self, *args: Any, known: Mapping[Recipe, Scores], warm_up: int, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._known, self._warm_up, self._played = known, warm_up, 0

    def save(self, folder: Path) -> None:
        """Write PPO's files, and how much has been played."""
        super().save(folder)
        (folder / _FILE).write_text(sealed(self._played), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from a saved state."""
        super().restore(folder)
        self._played = unsealed(folder / _FILE)

    def _learn(self, rollout: Rollout, advantages: Array) -> None:
        self._played += len(rollout.recipes)
        if self._played <= self._warm_up:
            return
        written = [one for one, scores in self._known.items() if scores.valid and writable(self.space, one)]
        if written:
            seeds = self._seeds(written, rollout.preferences[:1])
            rollout, advantages = stacked(rollout, seeds), np.concatenate([advantages, self._paid(seeds, written)])
        super()._learn(rollout, advantages)

    def _seeds(self, written: list[Recipe], preference: Array) -> Rollout:
        """The known stacks as if they had been written for a preference (1, K)."""
        stacks = [self.space.encode(recipe) for recipe in written]
        return rewritten(self.policy, self.space, np.repeat(preference, len(stacks), axis=0), stacks)

    def _paid(self, seeds: Rollout, written: list[Recipe]) -> Array:
        """(M,) advantages of the known stacks' actions."""
        values = self.normaliser([self._known[recipe].values for recipe in written])
        return self._advantages(seeds, self.utility(values, seeds.preferences), {})
