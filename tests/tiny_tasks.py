"""Small lm-eval tasks of every kind, on documents that a person can read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TASKS = ("sums", "shots", "choose", "write")

_DATA = """
import json
import math
from pathlib import Path

import datasets


def load(splits, **_):
    read = lambda name: datasets.Dataset.from_list(json.loads((Path(__file__).parent / f"{name}.json").read_text()))
    return {name: read(name) for name in splits.split()}


def likelihood(doc, results):
    log_likelihood, is_greedy = results[0]
    return {"likelihood": math.exp(log_likelihood / len(doc["answer"])), "exact_match": float(is_greedy)}


def letters(doc, results):
    text = results[0]
    return {"exact_match": float(text == doc["answer"]), "letters": sum(map(str.isalpha, text)) / 8}
"""

_TASKS = {
    "sums": """
output_type: loglikelihood
doc_to_target: "{{answer}}"
target_delimiter: ""
process_results: !function data.likelihood
metric_list:
  - {metric: likelihood, aggregation: mean, higher_is_better: true}
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
""",
    "shots": """
output_type: loglikelihood
training_split: train
fewshot_split: train
num_fewshot: 2
doc_to_target: "{{answer}}"
process_results: !function data.likelihood
metric_list:
  - {metric: likelihood, aggregation: mean, higher_is_better: true}
""",
    "choose": """
output_type: multiple_choice
doc_to_choice: "{{choices}}"
doc_to_target: "{{label}}"
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
""",
    "write": """
output_type: generate_until
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 8, do_sample: false}
process_results: !function data.letters
metric_list:
  - {metric: letters, aggregation: mean, higher_is_better: true}
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
""",
}

_SHARED = """
task: {name}
custom_dataset: !function data.load
dataset_kwargs: {{splits: "{splits}"}}
validation_split: search
test_split: test
doc_to_text: "{{{{question}}}}"
metadata: {{version: 1.0}}
"""


def documents(first: int, count: int) -> list[dict[str, Any]]:
    """Sums; some questions end in spaces, which lm-eval moves into the answer."""
    return [_document(number) for number in range(first, first + count)]


def _document(number: int) -> dict[str, Any]:
    a, b = 2 + number, 3 + 2 * number
    return {
        "question": f"{a} + {b} =" + " " * (number % 3),
        "answer": f"{a + b}\n",
        "choices": [f"{a + b}", f"{a + b + 1} or so", "none"],
        "label": number % 3,
    }


def write_tasks(folder: Path, splits: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, **changes: str) -> Path:
    """Write the tasks and their documents.

    Args:
        folder: Where; made if need be.
        splits: Name -> documents; ``train``, ``search`` and ``test`` unless they are given.
        changes: Task -> lines that are put after its own, where they win.

    Returns:
        `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    splits = splits or {"train": documents(200, 6), "search": documents(0, 10), "test": documents(100, 8)}
    for name, docs in splits.items():
        (folder / f"{name}.json").write_text(json.dumps(list(docs)))
    (folder / "data.py").write_text(_DATA)
    for name, text in _TASKS.items():
        shared = _SHARED.format(name=name, splits=" ".join(splits))
        kept = _without(shared + text, changes.get(name, ""))
        (folder / f"{name}.yaml").write_text(kept + changes.get(name, ""))
    return folder


def _without(text: str, changes: str) -> str:
    """The keys that `changes` doesn't set, each with the lines below it: YAML takes no key twice."""
    keys = {line.split(":")[0] for line in changes.splitlines() if line[:1].isalpha()}
    entries = re.findall(r"^\w+:.*\n(?:[ -].*\n)*", text, re.MULTILINE)
    return "".join(entry for entry in entries if entry.split(":")[0] not in keys)
