"""Tasks, evaluators, workers and records."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from omegaconf import DictConfig

from hm3.checkpoints import Checkpoint
from hm3.checks import number, path
from hm3.command import resolved
from hm3.composition.start import Start
from hm3.composition.tasks import prompts_of, task_folders
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.seams import NONE
from hm3.tracking import JsonlTracker, Tee, Tracker, wandb_tracker
from hm3.workbench import Workbench

_log = logging.getLogger(__name__)
_MEGABYTE = 1 << 20


def machine_of(settings: DictConfig) -> Machine:
    """Where stacks are scored, as the section ``evaluator`` says."""
    bank = settings.bank_mb
    return Machine(
        device=settings.device,
        dtype=settings.dtype,
        workers=settings.workers,
        cache_bytes=int(number("evaluator.cache_mb", settings.cache_mb, 0) * _MEGABYTE),
        bank_bytes=None if bank is None else int(number("evaluator.bank_mb", bank, 0, above=True) * _MEGABYTE),
        batch=settings.batch,
        batch_tokens=settings.get("batch_tokens"),
        requests=settings.requests,
        allow_code_execution=settings.get("allow_code_execution", False),
    )


def items_of(settings: DictConfig, *, training: bool = False) -> Items:
    """How many items are asked, as the section ``evaluator`` says; `training`: whether some are kept for that."""
    share = number("evaluator.training", settings.get("training", 0.0), 0, 1, above=training)
    return Items(settings.screen_items, settings.search_items, settings.test_items, share if training else 0.0)


def open_bench(
    config: DictConfig,
    checkpoints: Sequence[Checkpoint],
    objectives: Sequence[Objective],
    seam: str = NONE,
    *,
    training: bool = False,
) -> Workbench:
    """Tasks, evaluators and workers.

    Args:
        config: Of the run.
        checkpoints: The sources, the base first.
        objectives: What is scored.
        seam: The rule at seams.
        training: Whether search items are kept for a level that is trained on texts.
    """
    settings = config.evaluator
    machine = machine_of(settings)
    if machine.dtype != "float32":
        _log.warning("evaluator.dtype=%s: scores and decisions may differ from those in float32", machine.dtype)
    return Workbench.open(
        checkpoints,
        objectives,
        include=task_folders(config.tasks),
        store=path("evaluator.store", settings.store),
        machine=machine,
        items=items_of(settings, training=training),
        prompts=prompts_of(config.tasks),
        seam=seam,
    )


def open_tracker(config: DictConfig, start: Start) -> Tracker:
    """The run folder's metrics file, and wandb unless it is switched off; a run that goes on adds to both."""
    folder = start.folder.path
    own = JsonlTracker(folder, start.points.last.metrics_bytes)
    if not config.tracking.wandb:
        return own
    project = config.tracking.project
    return Tee(own, wandb_tracker(resolved(config), folder=folder, project=project, run_id=start.wandb_id))
