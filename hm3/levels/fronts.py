"""What the parameter level brings to a front: merges and models that follow preferences, on both splits."""

from __future__ import annotations

from collections.abc import Sequence

from hm3.judged import Judged
from hm3.levels.conditioned import ConditionedSource
from hm3.levels.stage import Given, Merged
from hm3.merge_judge import judged_merges
from hm3.online import lattice_with
from hm3.parameter.pareto import is_conditioned
from hm3.recipe import Recipe, Source
from hm3.session import Session


def followers(session: Session, given: Given, conditioned: ConditionedSource | None, divisions: int) -> list[Recipe]:
    """The whole models that follow the user's preference and those of a lattice; none without such a source."""
    if conditioned is None:
        return []
    lattice = lattice_with(session.preference, divisions)
    return [Recipe.identity(conditioned(weights), given.depth) for weights in lattice]


def found_before(session: Session, merged: Merged, following: Sequence[Recipe]) -> Judged:
    """What is judged on the whole search split before stacks are: sources, merges, models that follow preferences."""
    found = session.sources_on_search()
    found.add([each.recipe for each in merged.judged], [each.scores for each in merged.judged])
    if following:
        session.recall(following, found)
    return found


def judge_others(session: Session, given: Given, sources: Sequence[Source], found: Judged) -> None:
    """Judge the merges that have not been judged on the search split, one after the other."""
    known = {source.digest for each in found.candidates.values() for source in each.recipe.sources}
    _judge(session, given, [source for source in sources if source.digest not in known], found)


def report_front(session: Session, given: Given, found: Judged) -> None:
    """Judge on the test split the merges of a front that the bench doesn't hold, so that the store knows them."""
    sources = [each.recipe.sources for each in found.archive.front]
    absent = [first for first, *others in sources if not others and _is_absent(session, first)]
    _judge(session, given, absent, found, test=True)


def _is_absent(session: Session, source: Source) -> bool:
    return source.merge is not None and not is_conditioned(source) and not session.bench.holds(source)


def _judge(session: Session, given: Given, sources: Sequence[Source], found: Judged, *, test: bool = False) -> None:
    specs = [source.merge for source in sources if source.merge]
    for merge in judged_merges(session.bench, specs, given.depth, [source.name for source in sources], test=test):
        found.add([merge.recipe], [merge.scores])
