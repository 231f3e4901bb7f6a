"""What the zoo's task files ask lm-eval to call. It stands alone: lm-eval loads it by its path."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import datasets

ITEMS = Path(__file__).resolve().parents[1] / "items"


def load(items: str, **_: Any) -> dict[str, datasets.Dataset]:
    """Return the splits "search" and "test" of the items called `items`, in memory.

    lm-eval passes the model's arguments along; they are ignored.
    """
    return {split: _split(ITEMS / f"{items}.{split}.jsonl") for split in ("search", "test")}


def _split(path: Path) -> datasets.Dataset:
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return datasets.Dataset.from_list(rows)


def process_results(doc: dict[str, Any], results: list[tuple[float, bool]]) -> dict[str, float]:
    """Return both metrics of one item.

    Args:
        doc: the item.
        results: one pair: the answer's log-likelihood in nats, and whether greedy decoding gives it.

    Returns:
        `answer_likelihood`, the geometric mean probability of a character of the answer, newline included, and
        `exact_match`; both in [0, 1].
    """
    log_likelihood, is_greedy = results[0]
    return {
        "answer_likelihood": math.exp(log_likelihood / len(doc["answer"])),
        "exact_match": float(is_greedy),
    }
