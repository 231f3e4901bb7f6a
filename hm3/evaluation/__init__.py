"""Judging recipes with lm-eval tasks, without writing a model.

- `loading`, `tasks`: lm-eval's tasks; `requests`, `answers`, `rules`: what they ask and how they judge; `templates`
- `splits`, `parts`: which documents are asked, and what may steer the search
- `calibration`: what seams are fitted on
- `prompts`, `examples`: how they are put: few-shot examples, chat template
- `encoding`, `rows`, `reading`: requests as token rows in padded buckets, the same whichever source reads them
- `scorer`, `routes`, `walk`, `prefixes`, `responses`: stacks and early exits on rows, every distinct prefix once
- `local`, `workers`, `process`, `memory`: in as many processes as help; what to do where memory runs out
- `tuning`, `tuner`: sources that follow a preference, known for as long as they are scored
- `harness`: everything that isn't a row, through lm-eval's own model
- `code_tasks`, `code_judge`, `sandbox`: answers that are programs, run where they can do no harm
- `store`: what is known already
- `benchmark`, `evaluator`: recipes to measures, measures to scores
"""

from hm3.evaluation.benchmark import Benchmark, Part
from hm3.evaluation.calibration import fitted_seams
from hm3.evaluation.evaluator import BenchmarkEvaluator, Report
from hm3.evaluation.harness import HarnessModel
from hm3.evaluation.loading import load_tasks
from hm3.evaluation.local import LocalScorer
from hm3.evaluation.parts import Parts
from hm3.evaluation.prompts import Prompts
from hm3.evaluation.reading import Reader, check_templates, common_rows
from hm3.evaluation.splits import Splits, report_documents, split
from hm3.evaluation.store import EvaluationStore
from hm3.evaluation.tasks import TaskItems
from hm3.evaluation.tuning import ConditionedSources, check_unseamed
from hm3.evaluation.workers import ProcessScorer, Scorer

__all__ = [
    "Benchmark",
    "BenchmarkEvaluator",
    "ConditionedSources",
    "EvaluationStore",
    "HarnessModel",
    "LocalScorer",
    "Part",
    "Parts",
    "ProcessScorer",
    "Prompts",
    "Reader",
    "Report",
    "Scorer",
    "Splits",
    "TaskItems",
    "check_templates",
    "check_unseamed",
    "common_rows",
    "fitted_seams",
    "load_tasks",
    "report_documents",
    "split",
]
