"""A task whose answers are programs: the zoo's, as expressions, with their own assertions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hm3.evaluation import load_tasks
from hm3.evaluation.tasks import TaskItems

REFUSAL = "task {}: runs code that models write, which evaluator.allow_code_execution must allow, got false"
WRITTEN = """
task: written
output_type: generate_until
custom_dataset: !function hm3.zoo.tasks.zoo_task.load
dataset_kwargs: {items: code}
validation_split: search
test_split: test
doc_to_text: "{{prompt}}"
doc_to_target: "{{assertions | join('\\n')}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 48, do_sample: false}
filter_list:
  - name: none
    filter:
      - function: program
        template: "def f({{arguments | join(', ')}}):\\n    return {{response}}"
metric_list:
  - {metric: pass@1, aggregation: mean, higher_is_better: true}
metadata: {version: 1.0}
"""


def write_task(folder: Path, text: str = WRITTEN) -> Path:
    """Write the task ``written`` into a folder."""
    (folder / "written.yaml").write_text(text)
    return folder


def loaded(name: str, include: Path, *, allowed: bool = True) -> Any:
    """A task of a folder."""
    return load_tasks([name], [include], allow_code_execution=allowed)[name]


def items_of(task: Any, count: int | None = None, name: str = "written") -> TaskItems:
    """The first documents of a task's test split."""
    return TaskItems.build(name, task, dict(list(enumerate(task.eval_docs))[:count]))
