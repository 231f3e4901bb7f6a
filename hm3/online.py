"""The online stage: from proposals for many preferences to the front, judged on the whole search split."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from hm3.archive import hypervolume
from hm3.judged import Judged
from hm3.lattice import das_dennis
from hm3.objectives import Array, Candidate, Evaluator, Normaliser, Preference, Utility
from hm3.recipe import Recipe

NEAREST = 2  # survivors for each preference of the lattice, beside those of the user's own


def lattice_with(preference: Preference, divisions: int) -> Array:
    """(P, K) the user's preference first, then the Das-Dennis lattice with `divisions` steps on each side."""
    points = das_dennis(len(preference.weights), divisions)
    result: Array = np.vstack([np.asarray(preference.weights)[None, :], points])
    return result


def survivors(judged: Judged, preferences: Array, utility: Utility, count: int) -> list[Recipe]:
    """The screen's most promising recipes.

    They are taken in rounds: the best for every preference, then the second best, and so on; a sixth of the places
    goes to the first preference, the user's own.

    Args:
        judged: What the screen saw.
        preferences: (P, K) the user's preference first.
        utility: What a preference makes of scores.
        count: How many.

    Returns:
        At most `count` recipes, each once, most promising first.
    """
    known = list(judged.candidates.values())
    ranks = np.argsort(-judged.utilities(preferences, utility), axis=1, kind="stable")
    own = ranks[0, : max(1, count // 6)].tolist()
    shared = ranks[:, : max(NEAREST, count)].T.ravel().tolist()
    chosen = list(dict.fromkeys([*own, *shared]))[:count]
    return [known[i].recipe for i in chosen if known[i].scores.valid]


def judge(recipes: Sequence[Recipe], evaluator: Evaluator, judged: Judged, *, batch: int = 16) -> Iterator[int]:
    """Judge recipes in batches; yields the size of each batch that is done."""
    for start in range(0, len(recipes), batch):
        part = recipes[start : start + batch]
        judged.add(part, evaluator(part))
        yield len(part)


def anchored(identities: Sequence[Recipe], evaluator: Evaluator, floors: Sequence[float]) -> Judged:
    """What the sources themselves score, archived first, so that a front is never below its sources.

    Args:
        identities: The recipes that rebuild each source.
        evaluator: Judges them.
        floors: Each objective's floor.

    Returns:
        The sources, judged, with the normaliser that they give.
    """
    scores = evaluator(identities)
    judged = Judged(Normaliser.fit(evaluator.names, floors, scores))
    judged.add(identities, scores)
    return judged


def fresh(recipes: Iterable[Recipe], judged: Judged) -> list[Recipe]:
    """The recipes that have not been judged, each once."""
    return [
        recipe for recipe in {each.digest: each for each in recipes}.values() if recipe.digest not in judged.candidates
    ]


def unbeaten(recipes: Sequence[Recipe], front: Sequence[Recipe], evaluator: Evaluator) -> list[Recipe]:
    """The recipes that no recipe of a front equals or beats in every objective, on the evaluator's items."""
    if not recipes:
        return []
    ours, theirs = (np.array([scores.values for scores in evaluator(each)]) for each in (recipes, front))
    beaten = np.all(theirs[None, :, :] >= ours[:, None, :], axis=-1).any(axis=-1)
    return [recipes[i] for i in np.flatnonzero(~beaten).tolist()]


def spread(front: Sequence[Candidate], normaliser: Normaliser, most: int, kept: Candidate) -> list[Candidate]:
    """At most `most` candidates of a front, chosen greedily for their hypervolume; `kept` is always among them.

    A gain never grows as others are chosen, so that most of the old gains need no second look.

    Args:
        front: Non-dominated candidates.
        normaliser: Gives the scores in which volume is measured.
        most: How many.
        kept: A candidate of the front.

    Returns:
        The chosen ones, in the front's order.
    """
    points = normaliser([candidate.scores.values for candidate in front])
    chosen = [front.index(kept)]
    volume = hypervolume(points[chosen])
    gains = [(-math.inf, i) for i in range(len(front)) if i != chosen[0]]
    while gains and len(chosen) < most:
        _, best = heapq.heappop(gains)
        gain = hypervolume(points[[*chosen, best]]) - volume
        if gains and gain < -gains[0][0]:
            heapq.heappush(gains, (-gain, best))
            continue
        chosen.append(best)
        volume += gain
    return [front[i] for i in sorted(chosen)]
