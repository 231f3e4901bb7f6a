"""Self-imitation: after its own update the policy learns to write, for any preference, the best stack that is known.

The networks so stay what a preference asks them, and never fall behind what has been found, the sources included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from agents.moves import Stack
from agents.policy import NaturalPolicy
from agents.states import Batch
from envs.episodes import Episodes, Observation
from envs.space import Bools, Ints, StackSpace
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.recipe import Recipe


class Memory:
    """The stacks that no other known one is at least as good as, with their scores.

    Args:
        space: Stacks that it does not allow are not remembered; nor those whose layers follow a preference, since for
            another one they would be other models.
    """

    def __init__(self, space: StackSpace) -> None:
        self._space = space
        self.stacks: list[Stack] = []
        self.values: Array = np.zeros((0, 0))

    def add(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Remember what is worth it."""
        for recipe, score in zip(recipes, scores, strict=True):
            values = np.array(score.values)
            if score.valid and not self._covers(values) and self._writable(recipe):
                self._admit(self._space.encode(recipe), values)

    def best(self, preferences: Array, normaliser: Normaliser, utility: Utility) -> tuple[list[Stack], Array]:
        """The best stack for each preference (N, K), and its utility (N,)."""
        utilities = utility(normaliser(self.values)[None], preferences[:, None])
        best = utilities.argmax(axis=1)
        return [self.stacks[i] for i in best.tolist()], utilities[np.arange(len(best)), best]

    def to_json(self) -> dict[str, Any]:
        """The content as a JSON value."""
        return {"stacks": self.stacks, "values": self.values.tolist()}

    def restore(self, value: dict[str, Any]) -> None:
        """Read what `to_json` wrote."""
        self.stacks = [(list(layers), host) for layers, host in value["stacks"]]
        self.values = np.array(value["values"]) if self.stacks else np.zeros((0, 0))

    def _writable(self, recipe: Recipe) -> bool:
        known = {source.name for source in recipe.sources} <= set(self._space.pool.names)
        if (
            not known
            or self._space.conditioned_of(recipe)
            or (self._space.picks_host and recipe.embedding_host != recipe.head_host)
        ):
            return False
        return self._space.allows(self._space.encode(recipe)[0])

    def _covers(self, values: Array) -> bool:
        return len(self.stacks) > 0 and bool((self.values >= values).all(axis=1).any())

    def _admit(self, stack: Stack, values: Array) -> None:
        old = self.values.reshape(len(self.stacks), len(values))
        kept = ~np.all(old <= values, axis=1)
        self.stacks = [one for one, keep in zip(self.stacks, kept, strict=True) if keep] + [stack]
        self.values = np.vstack([old[kept], values])


def replay(space: StackSpace, preferences: Array, stacks: Sequence[Stack]) -> tuple[Observation, Bools, Ints, Ints]:
    """What a policy would have seen and done, had it written given stacks.

    Args:
        space: The space.
        preferences: (N, K), one for each stack.
        stacks: N stacks.

    Returns:
        Observations, masks (M, actions), actions (M,), and the episode of each action (M,).
    """
    episodes = Episodes(space, len(stacks))
    episodes.reset(preferences)
    scripts = [iter(_script(space, stack)) for stack in stacks]
    parts: list[tuple[Observation, Bools, Ints, Ints]] = []
    while len(rows := episodes.running):
        actions = np.array([next(scripts[row]) for row in rows])
        parts.append((episodes.observe(rows), episodes.masks(rows), actions, rows))
        episodes.step(actions, rows)
    seen, masks, actions_, rows_ = zip(*parts, strict=True)
    observations = {key: np.concatenate([part[key] for part in seen]) for key in seen[0]}
    return observations, np.concatenate(masks), np.concatenate(actions_), np.concatenate(rows_)


def _script(space: StackSpace, stack: Stack) -> Iterable[int]:
    layers, host = stack
    return [*([space.stop + host] if space.picks_host else []), *layers, space.stop]


def imitate(
    policy: NaturalPolicy,
    space: StackSpace,
    preferences: Array,
    stacks: Sequence[Stack],
    utilities: Array | None,
    steps: int,
) -> None:
    """Raise the probability of writing each stack under its preference, and tell the value network what it is worth.

    Args:
        policy: Learns, by its own optimiser.
        space: The space.
        preferences: (N, K).
        stacks: N stacks.
        utilities: (N,) what they are worth; None leaves the value network alone.
        steps: Gradient steps over all of them.
    """
    batch = _written(policy, space, preferences, stacks)
    worth = None if utilities is None else torch.as_tensor(utilities, dtype=torch.float32, device=policy.device)
    policy.set_training_mode(True)
    for _ in range(steps):
        values, log_probs, _ = policy.judge(batch)
        loss = -log_probs.mean()
        if worth is not None:
            loss = loss + 0.5 * F.mse_loss(values, worth[batch.owners])
        policy.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        policy.optimizer.step()


def _written(policy: NaturalPolicy, space: StackSpace, preferences: Array, stacks: Sequence[Stack]) -> Batch:
    """What the policy would have seen and done; stacks that recur are written once."""
    numbers: dict[str, int] = {}
    which = np.array([numbers.setdefault(repr(stack), len(numbers)) for stack in stacks])
    firsts = np.unique(which, return_index=True)[1]
    observations, masks, actions, episodes = replay(space, preferences[firsts], [stacks[i] for i in firsts])
    owners, rows = (torch.as_tensor(part, device=policy.device) for part in np.nonzero(which[:, None] == episodes))
    weights = torch.as_tensor(preferences, dtype=torch.float32, device=policy.device)
    return Batch(policy.states(observations, masks, actions, episodes), rows, weights, owners)
