"""Self-imitation: after its own update the policy learns to write, for any preference, the best stack that is known.

The networks so stay what a preference asks them, and never fall behind what has been found, the sources included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from agents.moves import Stack
from agents.policy import NaturalPolicy
from agents.states import Batch
from envs.episodes import Episodes, Observation
from envs.space import Bools, Ints, StackSpace
from hm3.objectives import Array


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
    """What the policy would have seen and done; stacks that recur are written once, if they look the same."""
    numbers: dict[str, int] = {}
    looks = [
        repr((stack, own if space.follows(*stack) else None))
        for stack, own in zip(stacks, preferences.tolist(), strict=True)
    ]
    which = np.array([numbers.setdefault(look, len(numbers)) for look in looks])
    firsts = np.unique(which, return_index=True)[1]
    observations, masks, actions, episodes = replay(space, preferences[firsts], [stacks[i] for i in firsts])
    owners, rows = (torch.as_tensor(part, device=policy.device) for part in np.nonzero(which[:, None] == episodes))
    weights = torch.as_tensor(preferences, dtype=torch.float32, device=policy.device)
    return Batch(policy.states(observations, masks, actions, episodes), rows, weights, owners)
