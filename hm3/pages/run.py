"""``report.html``: one run as a page, to look into with any browser and without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hm3.checkpoints import write_atomic
from hm3.pages.front import front_json
from hm3.pages.invocation import export_command
from hm3.pages.page import Section, fragment, page
from hm3.pages.training import curves
from hm3.runs import FrontFile, RunFolder
from hm3.runs.showing import given, merges
from hm3.tracking import read_metrics

_SCRIPTS = (
    "choice.js",  # what all others follow
    "stack.js",
    "controls.js",
    "candidate.js",
    "pairs.js",
    "parallel.js",
    "tables.js",
    "curves.js",
)


def write_report(folder: RunFolder, settings: Mapping[str, Any], path: Path | None = None) -> Path:
    """Write a run as one HTML file.

    Args:
        folder: The run, with a ``front.json``; without ``metrics.jsonl`` the page has no curves.
        settings: The run's configuration, resolved.
        path: Where the page goes; None for the run folder's ``report.html``.

    Returns:
        Where it is.

    Raises:
        ConfigurationError: ``front.json`` or ``metrics.jsonl`` cannot be read.
        OutputError: The page cannot be written.
    """
    records = read_metrics(folder.metrics) if folder.metrics.is_file() else []
    text = _page(folder.read_front(), curves(records), settings, _seen(folder.path))
    return write_atomic(path or folder.report, text)


def _page(front: FrontFile, drawn: dict[str, list[dict[str, Any]]], settings: Mapping[str, Any], run: Path) -> str:
    sections = [_front(front), _models(front), _training(drawn), _settings(front, settings)]
    weights = ", ".join(f"{name} {weight:.0%}" for name, weight in front.preference.as_dict().items())
    return page(
        f"Pareto front: {_count(len(front.candidates), 'stack')}",
        sections,
        lead=f"{run} for {weights}",
        facts=_facts(front),
        data={
            "front": front_json(front),
            "curves": drawn,
            "commands": [export_command(run, member.recipe.digest) for member in front.candidates],
        },
        styles=["run.css"],
        scripts=_SCRIPTS,
    )


def _seen(path: Path) -> Path:
    """A folder as it is called from where commands are run: relative if it lies below."""
    full, here = path.resolve(), Path.cwd()
    return full.relative_to(here) if full.is_relative_to(here) else full


def _facts(front: FrontFile) -> list[tuple[str, str]]:
    facts = [("hypervolume, search split", f"{front.hypervolume_search:.3f}")]
    if front.hypervolume is not None:
        facts.insert(0, ("hypervolume, test split", f"{front.hypervolume:.3f}"))
    if (ratio := front.hypervolume_ratio) is not None:
        told = f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
        facts.append(("times that of sources and merges (95 %)", told))
    return [*facts, ("evaluations", str(front.evaluations)), ("seed", str(front.seed))]


def _front(front: FrontFile) -> Section:
    judged = all(member.scores.test is not None for member in front.candidates)
    parameters = "".join(f", {name} {value:g}" for name, value in front.utility_parameters.items())
    return Section("front", "Front", fragment("front.html", utility=f"{front.utility}{parameters}", judged=judged))


def _models(front: FrontFile) -> Section:
    compared = (
        f"{_count(len(given(front)), 'source')} and {_count(len(merges(front)), 'merge')} in parameter space. "
        "Utility is for the weights above, on the search split."
    )
    return Section("models", "Sources and merges", fragment("models.html", compared=compared))


def _training(drawn: Mapping[str, Any]) -> Section:
    body = fragment("training.html", curves=drawn if any(drawn.values()) else None)
    return Section("training", "Along the run", body)


def _settings(front: FrontFile, settings: Mapping[str, Any]) -> Section:
    text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True, width=100)
    body = fragment("settings.html", configuration=text, versions=sorted(front.versions.items()))
    return Section("settings", "Settings", body)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
