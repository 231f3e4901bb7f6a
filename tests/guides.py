"""Guides in Markdown, done as a reader would do them: files saved, commands run, promises kept."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVE = re.compile(r"[Ss]ave\s+this\s+as\s+`([^`]+)`:\s*$")
_ROW = re.compile(r"[Aa]dd\s+this\s+row\s+to\s+`(\w+)`\s+in\s+`([^`]+)`:\s*$")
_PROMISE = re.compile(r"Now\s+there\s+(?:is|are)\s+([^:.]*(?:\.\w[^:.]*)*)")
_PRINTS = re.compile(r"It prints `([^`]+)`")


@dataclass(frozen=True)
class Step:
    """A block of a guide.

    Attributes:
        language: ``sh``, ``python``, ``yaml`` …
        text: The block.
        file: Where the text before it says to save it, or nothing.
        table: The name of the table, in that file, to which the text before it says to add it, or nothing.
        promised: Files that are there afterwards, as the text behind it says.
        printed: What it prints, as the text behind it says, or nothing.
    """

    language: str
    text: str
    file: str
    table: str
    promised: tuple[str, ...]
    printed: str


def steps(guide: Path) -> Iterator[Step]:
    """The blocks of a guide, in order."""
    text = guide.read_text()
    blocks = list(_BLOCK.finditer(text))
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        before, after = text[: block.start()], text[block.end() : following.start() if following else None]
        saved, row = _SAVE.search(before), _ROW.search(before)
        promise, printed = _PROMISE.search(after), _PRINTS.search(after)
        files = tuple(re.findall(r"`([^`]+)`", promise[1])) if promise else ()
        file = saved[1] if saved else row[2] if row else ""
        yield Step(block[1], block[2], file, row[1] if row else "", files, printed[1] if printed else "")


def do(step: Step, folder: Path) -> str:
    """Save a block or run it; what it wrote to the console.

    Raises:
        AssertionError: A command fails, a promised file isn't there, or the output is another one.
    """
    if step.table:
        _add_row(folder / step.file, step.table, step.text.strip())
        return ""
    if step.file:
        (folder / step.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / step.file).write_text(step.text)
        return ""
    commands = {"sh": ["bash", "-e", "-c", step.text], "python": [sys.executable, "-c", step.text]}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": path, "HM3_CACHE": str(folder / ".cache"), "PYTHONPATH": f"{folder}:{ROOT}"}
    done = subprocess.run(
        commands[step.language], cwd=folder, env=surroundings, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, f"{step.text}\n{done.stdout}\n{done.stderr}"
    assert not [name for name in step.promised if not (folder / name).is_file()], step.promised
    assert step.printed in done.stdout, done.stdout
    return done.stdout


def _add_row(file: Path, table: str, row: str) -> None:
    """Add an element to the list, or to the tuple of rows, that a module calls `table`."""
    source = file.read_text()
    for node in ast.parse(source).body:
        names = [ast.unparse(each) for each in getattr(node, "targets", [getattr(node, "target", ast.Pass())])]
        if names == [table]:
            rows = next(each for each in ast.walk(node.value) if isinstance(each, ast.List | ast.Tuple) and each.elts)
            last = rows.elts[-1]
            lines = source.splitlines(keepends=True)
            text, at = lines[last.end_lineno - 1], last.end_col_offset
            lines[last.end_lineno - 1] = f"{text[:at]}, {row}{text[at:]}"
            file.write_text("".join(lines))
            return
    raise AssertionError(f"{file} has no table {table}")
