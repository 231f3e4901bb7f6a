"""The result of a run: the front on the test split, beside the sources and the merges that a user would ask about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from hm3.evaluation import Report
from hm3.evidence import Interval, hypervolume_ratio
from hm3.judged import Judged
from hm3.objectives import Array, Normaliser, Scores, Utility
from hm3.online import spread
from hm3.recipe import Recipe
from hm3.rivals import Rival
from hm3.runs import FrontFile, Member, Model, SplitScores, front_hypervolume, versions_in_use
from hm3.session import Session

BATCH = 16  # stacks that are judged together: they share work, and the progress still moves


def tested_front(session: Session, found: Judged, rivals: Sequence[Rival], *, most: int) -> FrontFile:
    """Score on the test split what is on the front and every source, and put all side by side.

    Args:
        session: Judges; its progress hears of the stage ``test``.
        found: What was judged on the search split; its archive is the front.
        rivals: The merges, judged.
        most: Stacks that the front keeps at most; what its hypervolume owes least to goes.
    """
    chosen = found.archive.best(session.preference, session.utility, found.normaliser)
    front = [candidate.recipe for candidate in spread(found.archive.front, found.normaliser, most, chosen)]
    reports = _reports(session, [*front, *session.identities])
    members = tuple(_member(recipe, found, reports) for recipe in front)
    return FrontFile(
        objectives=session.bench.objectives,
        normaliser=found.normaliser,
        utility=type(session.utility).__name__.lower(),
        utility_parameters=_parameters(session.utility),
        preference=session.preference,
        hypervolume=front_hypervolume(members, found.normaliser, "test"),
        hypervolume_search=found.hypervolume(),
        hypervolume_ratio=_ratio(
            [reports[recipe.digest] for recipe in front],
            [*(reports[recipe.digest] for recipe in session.identities), *(rival.test for rival in rivals)],
            found.normaliser,
        ),
        evaluations=session.evaluations,
        seed=session.seed,
        sources=tuple(_source(recipe, found, reports) for recipe in session.identities),
        rivals=tuple(_rival(rival) for rival in rivals),
        candidates=members,
        chosen=chosen.recipe.digest,
        versions=versions_in_use(),
    )


def _reports(session: Session, recipes: Sequence[Recipe]) -> dict[str, Report]:
    """Digest -> report on the test split."""
    distinct = list({recipe.digest: recipe for recipe in recipes}.values())
    session.progress.begin("test", len(distinct))
    reports: dict[str, Report] = {}
    for start in range(0, len(distinct), BATCH):
        batch = distinct[start : start + BATCH]
        judged = session.bench.test.reports(batch)
        reports.update((recipe.digest, report) for recipe, report in zip(batch, judged, strict=True))
        session.progress.advance("test", len(batch))
    return reports


def _member(recipe: Recipe, found: Judged, reports: Mapping[str, Report]) -> Member:
    report = reports[recipe.digest]
    return Member(recipe, _both(found.candidates[recipe.digest].scores, report), report.metrics)


def _source(recipe: Recipe, found: Judged, reports: Mapping[str, Report]) -> Model:
    source, report = recipe.sources[0], reports[recipe.digest]
    scores = _both(found.candidates[recipe.digest].scores, report)
    return Model(source.name, recipe.depth, scores, report.metrics, source.merge)


def _rival(rival: Rival) -> Model:
    scores = _both(rival.search, rival.test)
    return Model(rival.source.name, rival.recipe.depth, scores, rival.test.metrics, rival.source.merge)


def _both(search: Scores, test: Report) -> SplitScores:
    return SplitScores(search.as_dict(), test.scores.as_dict())


def _parameters(utility: Utility) -> dict[str, float]:
    return asdict(utility)  # type: ignore[call-overload, no-any-return] # every utility is a dataclass of numbers


def _ratio(ours: Sequence[Report], others: Sequence[Report], normaliser: Normaliser) -> Interval | None:
    """None where items cannot be resampled (a score is no mean over them) or the others have no volume."""
    stacked = [_stacked(reports) for reports in (ours, others)]
    if stacked[0] is None or stacked[1] is None:
        return None
    interval = hypervolume_ratio(stacked[0], stacked[1], normaliser)
    return interval if math.isfinite(interval.high) else None


def _stacked(reports: Sequence[Report]) -> list[Array] | None:
    """For each objective (models, items)."""
    columns = list(zip(*(report.items for report in reports), strict=True))
    if any(items is None for column in columns for items in column):
        return None
    return [np.stack([items for items in column if items is not None]) for column in columns]
