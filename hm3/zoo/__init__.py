"""The built-in zoo: a base model, three experts and three tasks, small enough to live in the repository."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MODELS: Path = FOLDER / "models"
TASKS: Path = FOLDER / "tasks"
ITEMS: Path = FOLDER / "items"
EXPERTS = ("math", "code", "translation")
SOURCES = ("base", *EXPERTS)
SPLITS = ("search", "test")


@dataclass(frozen=True)
class Item:
    """One question of a task.

    Attributes:
        id: its name, unique in the zoo.
        prompt: the question.
        answer: the only accepted answer; it ends in a newline.
        difficulty: the name of the level that it belongs to.
        arguments: the names that the answer, an expression, may use (code only).
        assertions: statements about `f`, the answer as a function of `arguments` (code only).
    """

    id: str
    prompt: str
    answer: str
    difficulty: str
    arguments: tuple[str, ...] = ()
    assertions: tuple[str, ...] = ()


def source_path(name: str) -> Path:
    """Return the checkpoint folder of a source.

    Raises:
        KeyError: if the zoo has no source of that name.
    """
    if name not in SOURCES:
        raise KeyError(f"the zoo has no source {name!r}, only {', '.join(SOURCES)}")
    return MODELS / name


def items(task: str, split: str) -> list[Item]:
    """Return the items of a task ("math", "code" or "translation") and a split ("search" or "test").

    Raises:
        KeyError: if the zoo has no such task or split.
    """
    if task not in EXPERTS or split not in SPLITS:
        raise KeyError(f"the zoo has no items {task}.{split}")
    return list(_read(ITEMS / f"{task}.{split}.jsonl"))


@cache
def _read(path: Path) -> tuple[Item, ...]:
    with path.open(encoding="utf-8") as lines:
        return tuple(_item(json.loads(line)) for line in lines)


def _item(row: dict[str, object]) -> Item:
    return Item(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})  # type: ignore[arg-type]
