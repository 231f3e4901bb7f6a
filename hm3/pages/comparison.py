"""Many runs as one page: what differs between them, what each reached, and their fronts over each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hm3.checkpoints import write_atomic
from hm3.pages.comparison_figures import FIGURES, Figure, duration
from hm3.pages.comparison_groups import (
    Group,
    Variant,
    agent_of,
    groups,
    heading,
    preference_of,
    setting_of,
)
from hm3.pages.comparison_plots import colours, plots
from hm3.pages.page import Section, fragment, page
from hm3.runs import RunFolder
from hm3.runs.finished import FinishedRun
from hm3.runs.gathering import Gathered, gather
from hm3.runs.showing import given


def write_comparison(runs: Sequence[RunFolder], path: Path) -> None:
    """Write runs as one HTML file.

    Runs with other objectives or another normalisation stand apart, because their hypervolumes are in other units.
    Runs without a result and those that cannot be read are named.

    Args:
        runs: Their folders.
        path: The file.

    Raises:
        ConfigurationError: No run has a result that can be read.
        OutputError: The file cannot be written.
    """
    gathered = gather(runs)
    found = groups(gathered.finished)
    sections = [_section(group, i, len(found)) for i, group in enumerate(found)]
    if gathered.unfinished or gathered.broken:
        left = fragment("comparison_left.html", unfinished=gathered.unfinished, broken=gathered.broken)
        sections.append(Section("left", "Runs left out", left))
    text = page(
        "Comparison of runs",
        sections,
        lead=_lead(gathered, found),
        data={"groups": [plots(group) for group in found]},
        styles=["comparison.css"],
        scripts=["comparison.js"],
    )
    write_atomic(path, text)


def _lead(gathered: Gathered, found: Sequence[Group]) -> str:
    count = len(gathered.finished)
    lead = f"{count} finished run{'' if count == 1 else 's'}"
    if len(found) == 1:
        return lead
    return f"{lead} in {len(found)} groups; figures compare only where objectives and normalisation are the same"


def _section(group: Group, number: int, count: int) -> Section:
    body = fragment(
        "comparison.html",
        number=number,
        measured=", ".join(f"{each.name} ({each.metric or 'layers'})" for each in group.runs[0].front.objectives),
        bests=_bests(group) if count > 1 else "",
        objectives="/".join(group.names),
        figures=FIGURES,
        settings=[heading(name) for name in group.columns],
        rows=[_row(run, group) for run in group.runs],
        seeds=[_seeds(variant) for variant in group.variants if len(variant.seeds) > 1],
        legend=_legend(group),
        curves=any(run.curve for run in group.runs),
        sources=bool(given(group.runs[0].front)),
    )
    title = "Runs" if count == 1 else f"Group {number + 1}: {', '.join(group.names)}"
    return Section(f"group-{number}", title, body)


def _bests(group: Group) -> str:
    front = group.runs[0].front
    return ", ".join(f"{name} {best:.4g}" for name, best in zip(front.names, front.normaliser.bests, strict=True))


def _row(run: FinishedRun, group: Group) -> dict[str, Any]:
    return {
        "name": run.name,
        "preference": preference_of(run),
        "seed": run.front.seed,
        "agent": agent_of(run),
        "settings": [setting_of(run, name) for name in group.columns],
        "figures": [figure.text(figure.of(run)) for figure in FIGURES],
        "duration": duration(run.seconds),
    }


def _seeds(variant: Variant) -> dict[str, Any]:
    return {
        "label": variant.label or "all runs",
        "seeds": len(variant.seeds),
        "figures": [_spread(variant, figure) for figure in FIGURES],
    }


def _spread(variant: Variant, figure: Figure) -> str:
    spread = variant.spread(figure.of)
    return "–" if spread is None else f"{figure.text(spread.mean)} ± {figure.text(spread.deviation)}"


def _legend(group: Group) -> list[dict[str, str]]:
    return [
        {"label": variant.label or "all runs", "colour": colour}
        for variant, colour in zip(group.variants, colours(group), strict=True)
    ]
