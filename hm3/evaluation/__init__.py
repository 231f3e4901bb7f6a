"""Judging recipes with lm-eval tasks, without writing a model.

- `tasks`, `splits`, `parts`: which documents are asked, and what may steer the search; `templates` makes that quick
- `encoding`, `rows`: requests as token rows in padded buckets
- `scorer`, `prefixes`, `workers`: stacks on rows, every distinct prefix once, in as many processes as help
- `harness`: everything that isn't a row, through lm-eval's own model
- `store`: what is known already
- `benchmark`, `evaluator`: recipes to measures, measures to scores
"""

from hm3.evaluation.benchmark import Benchmark, Part
from hm3.evaluation.evaluator import BenchmarkEvaluator, Report
from hm3.evaluation.harness import HarnessModel
from hm3.evaluation.parts import Parts
from hm3.evaluation.splits import Splits, split
from hm3.evaluation.store import EvaluationStore
from hm3.evaluation.tasks import TaskItems, load_tasks
from hm3.evaluation.workers import LocalScorer, ProcessScorer, Scorer

__all__ = [
    "Benchmark",
    "BenchmarkEvaluator",
    "EvaluationStore",
    "HarnessModel",
    "LocalScorer",
    "Part",
    "Parts",
    "ProcessScorer",
    "Report",
    "Scorer",
    "Splits",
    "TaskItems",
    "load_tasks",
    "split",
]
