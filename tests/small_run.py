"""The main job in small: tiny random sources, two small tasks, and commands called as their users call them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

TASKS = ("sums", "words")
TASK = """
task: tiny_{name}
output_type: loglikelihood
custom_dataset: !function tiny_task.load_{name}
validation_split: search
test_split: test
num_fewshot: 0
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
target_delimiter: ""
process_results: !function tiny_task.process_results
metric_list:
  - {{metric: likelihood, aggregation: mean, higher_is_better: true}}
  - {{metric: exact, aggregation: mean, higher_is_better: true}}
metadata: {{version: 1.0}}
"""
CODE = """
import json, math
from pathlib import Path
import datasets

def _load(name):
    rows = json.loads((Path(__file__).parent / f"{name}.json").read_text())
    return {split: datasets.Dataset.from_list(rows[split]) for split in ("search", "test")}

def load_sums(**_):
    return _load("sums")

def load_words(**_):
    return _load("words")

def process_results(doc, results):
    (log_likelihood, greedy), = results
    return {"likelihood": math.exp(log_likelihood / len(doc["answer"])), "exact": float(greedy)}
"""
SMALL = (
    "offline.rollouts=2",
    "offline.episodes=4",
    "online.divisions=2",
    "online.each=1",
    "online.own=2",
    "online.refine=1",
    "online.survivors=4",
    "rivals=2",
    "evaluator.screen_items=2",
    "evaluator.workers=0",
    "tracking.wandb=false",
    "utility.reference=3",
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


def write_tasks(folder: Path, items: int = 4) -> Path:
    """Task files ``tiny_sums`` and ``tiny_words``, with `items` items on each split."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny_task.py").write_text(CODE)
    for name in TASKS:
        (folder / f"{name}.yaml").write_text(TASK.format(name=name))
        rows = {split: [_item(name, i + at) for i in range(items)] for split, at in (("search", 0), ("test", items))}
        (folder / f"{name}.json").write_text(json.dumps(rows))
    return folder


def _item(name: str, number: int) -> dict[str, str]:
    if name == "sums":
        return {"prompt": f"{number}+{number}=", "answer": str(2 * number)}
    return {"prompt": f"{number} times: ", "answer": "ab" * (1 + number % 3)}


def overrides(sources: Mapping[str, Path], tasks: Path) -> list[str]:
    """What makes ``conf/train.yaml`` the main job in small."""
    described = ",".join(
        f"{name}:{{path:'{sources[expert]}',objectives:[{name}]}}"
        for name, expert in zip(TASKS, [key for key in sources if key != "base"], strict=False)
    )
    objectives = ",".join(f"{name}:{{task:tiny_{name},metric:likelihood}}" for name in TASKS)
    return [
        f"sources.base='{sources['base']}'",
        "~sources.experts",
        f"+sources.experts={{{described}}}",
        "~tasks.objectives",
        f"+tasks.objectives={{{objectives}}}",
        f"tasks.include=['{tasks}']",
        *SMALL,
    ]


def call(main: Callable[[], None], arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Outcome:
    """Call a command in this process as ``python -m`` would."""
    capsys.readouterr()  # what came before is not the command's
    before, sys.argv = sys.argv, [main.__module__, *arguments]
    handlers = list(logging.root.handlers)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
        for added in set(logging.root.handlers) - set(handlers):  # Hydra's write to what is standard output now
            logging.root.removeHandler(added)
            added.close()
    shown = capsys.readouterr()
    return Outcome(int(ended.value.code or 0), shown.out, shown.err)
