"""What stock lm-eval says of an exported model, beside what the search reported."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from hm3.checkpoints import Checkpoint
from hm3.evaluation import Prompts, load_tasks, report_documents
from hm3.evaluation.code_tasks import sandboxed
from hm3.model_card import model_card
from hm3.model_folder import write_model
from hm3.runs import FrontFile, Member
from hm3.seams import SeamValues


@dataclass(frozen=True, slots=True)
class StockResult:
    """One model's metrics, twice.

    Attributes:
        member: The model.
        reported: ``task/metric`` -> what the run says.
        stock: ``task/metric`` -> what lm-eval says.
    """

    member: Member
    reported: Mapping[str, float]
    stock: Mapping[str, float]

    @property
    def difference(self) -> float:
        """The largest difference over all metrics."""
        return max(abs(self.reported[metric] - self.stock[metric]) for metric in self.reported)


def evaluated(
    member: Member,
    front: FrontFile,
    checkpoints: Mapping[str, Checkpoint],
    *,
    include: Sequence[Path],
    prompts: Prompts,
    seams: SeamValues,
    device: str,
    dtype: str,
    test_items: int | None,
    allow_code_execution: bool = False,
) -> StockResult:
    """Export a candidate to a temporary folder and let lm-eval score it on the test split.

    Args:
        member: The candidate.
        front: Its front.
        checkpoints: Its sources by name.
        include: Folders with task files.
        prompts: How questions are put, as in the run.
        seams: What was fitted for the seams of its front.
        device: Where it is computed.
        dtype: Of the computation.
        test_items: At most so many test items of each task, as in the run.
        allow_code_execution: Whether code that the model writes may run, in the sandbox.
    """
    names = list(dict.fromkeys(each.task for each in front.objectives if each.task))
    tasks = load_tasks(names, include, allow_code_execution=allow_code_execution)
    samples = {name: list(report_documents(name, task, test_items)) for name, task in tasks.items()}
    with tempfile.TemporaryDirectory(prefix="hm3-evaluate-") as folder:
        card = model_card(front, member)
        path = write_model(Path(folder) / "model", member.recipe, checkpoints, card, seams=seams)
        return StockResult(
            member, member.metrics, stock_metrics(path, tasks, samples, prompts, device=device, dtype=dtype)
        )


def stock_metrics(
    path: Path,
    tasks: Mapping[str, Any],
    samples: Mapping[str, Sequence[int]],
    prompts: Prompts = Prompts(),  # noqa: B008 - frozen
    *,
    device: str = "cpu",
    dtype: str = "float32",
) -> dict[str, float]:
    """``task/metric`` -> score by lm-eval's ``evaluate`` with its own transformers model.

    What ``simple_evaluate`` does around it is listing thousands of tasks and describing the machine; the one thing
    that matters for scores, the seed of few-shot examples, is set here as it sets it.

    Args:
        path: The checkpoint.
        tasks: Name -> lm-eval task, from `load_tasks`: what runs code was allowed to, and does it in the sandbox.
        samples: Name -> numbers of the documents to score.
        prompts: How questions are put.
        device: Where it is computed.
        dtype: Of the computation.
    """
    from lm_eval import evaluate
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=str(path), dtype=dtype, batch_size=64, device=device)
    for kind in ("loglikelihood", "loglikelihood_rolling", "generate_until"):
        setattr(model, kind, partial(getattr(model, kind), disable_tqdm=True))
    numbers = {name: list(chosen) for name, chosen in samples.items()}
    prompts.set_shots(tasks)
    loaded = {"tasks": dict(tasks), "groups": {}}
    safe = sandboxed(tasks.values())
    found = evaluate(
        lm=model,
        task_dict=loaded,
        samples=numbers,
        bootstrap_iters=0,
        confirm_run_unsafe_code=safe,
        **prompts.options,
    )
    return {
        f"{name}/{metric.removesuffix(',none')}": float(value)
        for name, metrics in found["results"].items()
        for metric, value in metrics.items()
        if isinstance(value, float) and "_stderr" not in metric
    }


def comparison(results: Sequence[StockResult]) -> Table:
    """One line for each model and metric."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("model", "metric"):
        table.add_column(column)
    for column in ("reported", "lm-eval", "difference"):
        table.add_column(column, justify="right")
    for result in results:
        for metric, value in result.reported.items():
            stock = result.stock[metric]
            table.add_row(
                result.member.recipe.digest[:8], metric, f"{value:.6f}", f"{stock:.6f}", f"{abs(value - stock):.1e}"
            )
    return table
