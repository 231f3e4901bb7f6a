"""Which stacks are worth a thought: what is near the known front, and near what is expected to be beyond it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import moocore
import numpy as np

from agents.moves import Stack
from agents.surrogate.belief import Belief
from agents.surrogate.gains import gains
from agents.surrogate.known import KnownStacks
from agents.surrogate.neighbours import neighbours
from envs.space import StackSpace
from hm3.archive import below_nadir
from hm3.objectives import Array

HOPE = 1.0  # standard deviations that are hoped for beyond what is expected
SHORTLIST = 120  # candidates that are compared by volume
PARENTS = 8  # of the neighbours of a round, under one preference


def promising(
    space: StackSpace,
    known: KnownStacks,
    belief: Belief,
    written: Sequence[Stack],
    count: int,
    rounds: int,
    rng: np.random.Generator,
) -> tuple[list[Stack], Array]:
    """At most `SHORTLIST` unknown stacks, the most hopeful first, and what is expected of them (M, K).

    Args:
        space: What is legal.
        known: What has been judged, something at least.
        belief: About all others.
        written: Stacks that the policy offers.
        count: Neighbours in a round.
        rounds: How often the neighbours of the most hopeful join them.
        rng: Of the neighbours.
    """
    parents, front = known.front()
    offered = known.unknown([*written, *known.partly, *neighbours(space, parents, count, rng)])
    for _ in range(rounds if offered else 0):
        hoped = _hoped(belief, offered)
        best = [offered[i] for i in np.flatnonzero(moocore.is_nondominated(hoped, maximise=True))]
        offered = known.unknown([*offered, *neighbours(space, best, count, rng)])
    if not offered:
        return [], front[:0]
    order = np.argsort(-gains(_hoped(belief, offered), front, below_nadir(front)), kind="stable")[:SHORTLIST]
    shortlist = [offered[i] for i in order]
    return shortlist, belief(shortlist)[0]


def favoured(
    space: StackSpace,
    known: KnownStacks,
    belief: Belief,
    written: Sequence[Stack],
    utility: Callable[[Array], Array],
    count: int,
    rounds: int,
    rng: np.random.Generator,
) -> list[Stack]:
    """Unknown stacks, those of the largest expected utility first.

    Args:
        space: What is legal.
        known: What has been judged, something at least.
        belief: About all others.
        written: Stacks that the policy offers.
        utility: (M,) of normalised scores (M, K), under one preference.
        count: Neighbours in a round.
        rounds: How often the neighbours of the best join them.
        rng: Of the neighbours.
    """
    best = [known.stacks[i] for i in np.argsort(-utility(known.values))[:PARENTS]]
    offered = known.unknown([*written, *known.partly, *neighbours(space, best, count, rng)])
    for number in range(rounds + 1 if offered else 0):
        order = np.argsort(-utility(belief(offered)[0]), kind="stable")
        offered = [offered[i] for i in order]
        if number < rounds:
            offered = known.unknown([*offered, *neighbours(space, offered[:PARENTS], count, rng)])
    return offered


def _hoped(belief: Belief, stacks: Sequence[Stack]) -> Array:
    means, deviations = belief(stacks)
    return means + HOPE * deviations
