"""The states of whole episodes as the networks read them: each once, however many preferences learn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class States:
    """All B states of E whole episodes.

    Attributes:
        observations: What was seen, made ready by SB3's rules, without the preference.
        leaning: (B, actions) logits of the prior, very negative where an action is illegal.
        actions: (B,) what was done.
        episodes: (B,) the episode of each state.
        ends: (E,) the last state of each episode.
    """

    observations: dict[str, Tensor]
    leaning: Tensor
    actions: Tensor
    episodes: Tensor
    ends: Tensor

    def of_episodes(self, chosen: Tensor) -> tuple[States, Tensor]:
        """The states of some episodes (E,) bool, and for each state of all its number there, 0 where it has none."""
        kept = torch.nonzero(chosen[self.episodes])[:, 0]
        numbers = torch.zeros_like(self.episodes)
        numbers[kept] = torch.arange(len(kept), device=kept.device)
        states = States(
            {key: values.index_select(0, kept) for key, values in self.observations.items()},
            self.leaning.index_select(0, kept),
            self.actions[kept],
            (chosen.cumsum(0) - 1)[self.episodes[kept]],
            numbers[self.ends[chosen]],
        )
        return states, numbers


class Batch(NamedTuple):
    """Actions, each in one state and under one preference.

    Attributes:
        states: The states.
        rows: (M,) the state of each action.
        preferences: (P, K).
        owners: (M,) the preference of each action.
    """

    states: States
    rows: Tensor
    preferences: Tensor
    owners: Tensor

    def select(self, chosen: Tensor) -> Batch:
        """Some of the actions (numbers), with the states of their episodes only."""
        rows = self.rows[chosen]
        episodes = torch.zeros(len(self.states.ends), dtype=torch.bool, device=rows.device)
        episodes[self.states.episodes[rows]] = True
        if episodes.all():
            return self._replace(rows=rows, owners=self.owners[chosen])
        states, numbers = self.states.of_episodes(episodes)
        return Batch(states, numbers[rows], self.preferences, self.owners[chosen])
