"""Items: what is held out, and the stream to train on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random

from scripts.zoo import arithmetic, german, programs
from scripts.zoo.levels import Draft, Level

LEVELS: Mapping[str, tuple[Level, ...]] = {
    "math": arithmetic.LEVELS,
    "code": programs.LEVELS,
    "translation": german.LEVELS,
}
SPLITS = {"search": 320, "test": 640}
ITEMS_SEED = 2024
Row = dict[str, object]


def space_size(task: str) -> int:
    """Return the number of different items of a task."""
    return sum(level.size for level in LEVELS[task])


def draw(task: str, random: Random, focus: Mapping[str, float] | None = None) -> tuple[Level, Draft]:
    """Draw one item of a task, levels by their shares, each times its factor in `focus` if it has one."""
    levels, factors = LEVELS[task], focus or {}
    level = random.choices(levels, [level.share * factors.get(level.name, 1.0) for level in levels])[0]
    return level, level.sample(random)


def held_out(task: str) -> dict[str, list[Row]]:
    """Return the items of every split; they are the same for every seed of training.

    No prompt occurs twice, neither in a split nor across splits.
    """
    random = Random(f"{task} {ITEMS_SEED}")
    drawn: dict[str, Row] = {}
    while len(drawn) < sum(SPLITS.values()):
        level, draft = draw(task, random)
        drawn.setdefault(draft.prompt, _row(draft, level))
    rows = iter(drawn.values())
    return {split: [_named(next(rows), f"{task}-{split}-{n}") for n in range(count)] for split, count in SPLITS.items()}


def _named(row: Row, name: str) -> Row:
    return {"id": name, **row}


def _row(draft: Draft, level: Level) -> Row:
    row: Row = {"prompt": draft.prompt, "answer": draft.answer, "difficulty": level.name}
    if draft.assertions:
        row |= {"arguments": list(draft.arguments), "assertions": list(draft.assertions)}
    return row


@cache
def held_out_prompts() -> frozenset[str]:
    """Return every prompt that training must not see."""
    return frozenset(str(row["prompt"]) for task in LEVELS for rows in held_out(task).values() for row in rows)


def stream(shares: Mapping[str, float], seed: str, focus: Mapping[str, float] | None = None) -> Iterator[Draft]:
    """Yield training items for ever, tasks by their shares, levels as in `draw`, never a held-out one."""
    random = Random(seed)
    forbidden = held_out_prompts()
    tasks, weights = list(shares), list(shares.values())
    while True:
        _, draft = draw(random.choices(tasks, weights)[0], random, focus)
        if draft.prompt not in forbidden:
            yield draft


def write_items(folder: Path) -> None:
    """Write `<task>.<split>.jsonl` for every task and split into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for task in LEVELS:
        for split, rows in held_out(task).items():
            lines = (json.dumps(row, ensure_ascii=False) for row in rows)
            (folder / f"{task}.{split}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
