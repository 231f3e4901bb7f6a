"""How a run ends: rivals and test split, front.json and front.png, the closing table, the exported model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from rich.console import Console
from rich.table import Table

from hm3.checkpoints import Checkpoint
from hm3.figures import COLUMNS, Entry, closing_table, draw_front
from hm3.judged import Judged
from hm3.model_card import model_card
from hm3.model_folder import picture_of, write_model
from hm3.objectives import Candidate, Preference, Utility
from hm3.results import tested_front
from hm3.rivals import Rival
from hm3.runs import FrontFile, Member, Model, RunFolder
from hm3.runs.showing import given, merges, ranked, shown_scores
from hm3.session import Session
from hm3.stacks import untied_bytes


def conclude(session: Session, found: Judged, rivals: Sequence[Rival], folder: RunFolder, *, most: int) -> FrontFile:
    """Judge the front on the test split, write ``front.json`` and ``front.png``, tell the tracker.

    Args:
        session: The run at work.
        found: What was judged on the search split.
        rivals: The merges to compare with, judged.
        folder: Where it is written.
        most: Stacks that the front keeps at most.
    """
    front = tested_front(session, found, rivals, most=most)
    folder.write_seams(session.bench.seam_values(member.recipe for member in front.candidates))
    folder.write_front(front)
    draw(front, folder)
    _track(session, front, folder)
    return front


def draw(front: FrontFile, folder: RunFolder) -> None:
    """Write ``front.png``: test scores where there are any; stacks before whole sources, by utility."""
    draw_front(
        folder.picture,
        candidates=[Candidate(member.recipe, shown_scores(member, front)) for member in ranked(front)],
        chosen=front.chosen,
        sources={model.name: shown_scores(model, front) for model in given(front)},
        merges={model.name: shown_scores(model, front) for model in merges(front)},
        title=f"{len(front.candidates)} stacks on the front, hypervolume {front.hypervolume:.3f} on the test split",
    )


def show(front: FrontFile, utility: Utility, folder: RunFolder) -> None:
    """Print the closing table, how the front compares with sources and merges, and where everything is."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = COLUMNS
    console.print(table_of(front, utility))
    lines = [f"hypervolume {front.hypervolume:.3f} on the test split, {front.evaluations} evaluations"]
    ratio = front.hypervolume_ratio
    if ratio is not None:
        lines.append(
            f"{ratio.value:.3f} times the hypervolume of all sources and merges together"
            f" (95 % over test items: {ratio.low:.3f} to {ratio.high:.3f})"
        )
    console.print("\n".join([*lines, f"run folder: {folder.path}"]), soft_wrap=True)


def show_finished(folder: RunFolder) -> None:
    """Say that a run which was to go on is whole."""
    Console(highlight=False).print(f"nothing left to do in run folder: {folder.path}", soft_wrap=True)


def table_of(front: FrontFile, utility: Utility, *, markdown: bool = False) -> Table:
    """The closing table of a front."""
    chosen = front.chosen_member
    return closing_table(
        sources=[_entry(model.name, model, front) for model in given(front)],
        merges=[_entry(model.name, model, front) for model in merges(front)],
        chosen=_entry(front.chosen[:8], chosen, front),
        front=[_entry(member.recipe.digest[:8], member, front) for member in front.candidates],
        normaliser=front.normaliser,
        preference=front.preference,
        utility=utility,
        markdown=markdown,
    )


def choose(front: FrontFile, preference: Preference, utility: Utility) -> Member:
    """The candidate with the largest utility on the search split; of equals the first."""
    values = front.normaliser([tuple(member.scores.search.values()) for member in front.candidates])
    return front.candidates[int(utility(values, np.asarray(preference.weights)).argmax())]


def export(
    front: FrontFile,
    member: Member,
    checkpoints: Mapping[str, Checkpoint],
    folder: RunFolder,
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write a candidate of the front into the run folder; `beside` are further files: name -> content."""
    pictures, dtype = picture_of(folder), checkpoints[member.recipe.embedding_host].dtype
    untied = untied_bytes(member.recipe, checkpoints)
    card = model_card(front, member, dtype=dtype, picture=bool(pictures), untied=untied)
    seams = folder.read_seams()
    extras = {**pictures, **beside}
    write_model(folder.model, member.recipe, checkpoints, card, extras=extras, seams=seams, overwrite=True)


def _track(session: Session, front: FrontFile, folder: RunFolder) -> None:
    """Everything that stands for the whole run."""
    tracker = session.tracker
    volumes = {"hypervolume": front.hypervolume_search, "hypervolume_test": front.hypervolume or 0.0}
    ratio = front.hypervolume_ratio
    ratios = {} if ratio is None else {"ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high}
    tracker.log(volumes, session.evaluations)
    tracker.table("front", ["digest", "depth", *front.names], [_row(member) for member in front.candidates])
    tracker.image("front", folder.picture)
    tracker.summary({**volumes, **ratios, "evaluations": session.evaluations, "chosen": front.chosen})


def _row(member: Member) -> list[str | int | float]:
    return [member.recipe.digest, member.recipe.depth, *(member.scores.test or member.scores.search).values()]


def _entry(name: str, model: Model | Member, front: FrontFile) -> Entry:
    depth = model.depth if isinstance(model, Model) else model.recipe.depth
    return Entry(name, shown_scores(model, front), depth)
