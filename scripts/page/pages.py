"""The page with its drawings, in memory, on disk, and compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hm3.checkpoints import write_atomic
from hm3.errors import ConfigurationError
from scripts.page.render import rendered, text
from scripts.page.sections import SECTIONS, Section

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "scripts" / "benchmark"
DOCS = ROOT / "docs"
PAGE, DRAWINGS = "benchmarks.md", "benchmarks"
HEAD = (
    "# Benchmarks\n\n<!-- written by `python -m scripts.page` from the files in scripts/benchmark: change those -->\n"
)

Files = Mapping[str, str]
"""Path below `docs` -> content."""


def page(sections: Sequence[Section] = SECTIONS, results: Path = RESULTS) -> Files:
    """The page and its drawings.

    Raises:
        ConfigurationError: A section's result file is not there, or was measured by a quick form.
    """
    texts, files = [HEAD, text("introduction")], {}
    for section in sections:
        result = read(results, section)
        drawings = {f"{DRAWINGS}/{name}.svg": draw(result) for name, draw in section.drawings.items()}
        texts.append(rendered(section, result, list(drawings)))
        files.update(drawings)
    texts.append(text("what_did_not_work"))
    return {PAGE: "\n".join(texts), **files}


def read(results: Path, section: Section) -> Mapping[str, Any]:
    """A section's result.

    Raises:
        ConfigurationError: There is none, or it was measured by a quick form.
    """
    file = results / f"{section.result}.json"
    if not file.is_file():
        raise ConfigurationError(f"page: a result for '{section.title}', got no {section.result}.json")
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if found["quick"]:
        raise ConfigurationError(f"page: results of full forms, got a quick {section.result}.json")
    return found


def write(files: Files, docs: Path) -> None:
    """Put the page into a folder; drawings that it has no more are removed."""
    for name in _drawn(docs) - set(files):
        (docs / name).unlink()
    for name, content in files.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(docs / name, content)


def differences(files: Files, docs: Path) -> list[str]:
    """The files that a folder lacks or has with another content, and drawings that no section has."""
    wrong = [name for name, content in files.items() if not _same(docs / name, content)]
    return sorted({*wrong, *(_drawn(docs) - set(files))})


def _drawn(docs: Path) -> set[str]:
    return {f"{DRAWINGS}/{path.name}" for path in (docs / DRAWINGS).glob("*.svg")}


def _same(path: Path, content: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == content
