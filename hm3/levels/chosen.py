"""Which of the merges that were judged become sources."""

from __future__ import annotations

from collections.abc import Sequence

from hm3.judged import Judged
from hm3.objectives import Candidate
from hm3.online import spread
from hm3.recipe import Source
from hm3.session import Session


def chosen_sources(session: Session, judged: Sequence[Candidate], most: int) -> tuple[Source, ...]:
    """The merges that make the largest front together, the one for the user's preference among them.

    Args:
        session: Knows the preference, and what the given sources score.
        judged: Merges, judged on the search split.
        most: How many at most.
    """
    valid = [each for each in judged if each.scores.valid]
    if not valid:
        return ()
    found = Judged(session.sources_on_search().normaliser)
    found.add([each.recipe for each in valid], [each.scores for each in valid])
    best = found.archive.best(session.preference, session.utility, found.normaliser)
    front = spread(found.archive.front, found.normaliser, most, best)
    return tuple(each.recipe.sources[0] for each in front)
