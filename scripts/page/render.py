"""A result file as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.page.sections import Section

Result = Mapping[str, Any]
TEXTS = Path(__file__).with_name("texts")


def rendered(section: Section, result: Result, drawings: Sequence[str]) -> str:
    """A section: what it is about, the command, tables, drawings, and what it was measured on."""
    parts = [
        f"## {section.title}",
        *(text(name).strip() for name in section.texts),
        f"```sh\n{result['command']}\n```",
    ]
    parts += [table(**each) for each in result["details"].get("tables", [])] or [_flat(result["summary"])]
    parts += [f"![{section.title}]({name})" for name in drawings]
    parts.append(measured_on(result))
    return "\n\n".join(part for part in parts if part) + "\n"


def text(name: str) -> str:
    """What people wrote for the page."""
    return (TEXTS / f"{name}.md").read_text(encoding="utf-8")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its title; all but the first column to the right."""
    rule = ["---", *["---:"] * (len(columns) - 1)]
    lines = [_line(columns), _line(rule), *map(_line, rows)]
    return "\n".join([f"**{title}**", "", *lines])


def measured_on(result: Result) -> str:
    """Seeds, machine and versions, in one line."""
    known = result["machine"]
    where = f"{known['processor']}, {known['cores']} cores, {known['memory_gb']} GB, {known['system']}"
    versions = ", ".join(f"{name} {value}" for name, value in known["libraries"].items())
    return f"{_seeds(result)}Measured on {where}; Python {known['python']}, {versions}."


def _seeds(result: Result) -> str:
    count, first = result["summary"].get("seeds", 1), result["seed"]
    return f"Seeds {first} to {first + count - 1}. " if count > 1 else f"Seed {first}. "


def _flat(summary: Mapping[str, Any]) -> str:
    """A summary's own figures, where a result has no tables."""
    rows = [[name.replace("_", " "), _cell(value)] for name, value in summary.items() if not isinstance(value, Mapping)]
    return table("figures", ("figure", "value"), rows)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
