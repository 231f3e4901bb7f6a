"""Tasks, evaluators, workers and records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from hm3.checkpoints import Checkpoint
from hm3.checks import number
from hm3.command import resolved
from hm3.composition.tasks import task_folders
from hm3.objectives import Objective
from hm3.runs import RunFolder
from hm3.tracking import JsonlTracker, Tee, Tracker, wandb_tracker
from hm3.workbench import Items, Machine, Workbench

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
        requests=settings.requests,
    )


def items_of(settings: DictConfig) -> Items:
    """How many items are asked, as the section ``evaluator`` says."""
    return Items(settings.screen_items, settings.search_items, settings.test_items)


def open_bench(config: DictConfig, checkpoints: Sequence[Checkpoint], objectives: Sequence[Objective]) -> Workbench:
    """Tasks, evaluators and workers."""
    settings = config.evaluator
    return Workbench.open(
        checkpoints,
        objectives,
        include=task_folders(config.tasks),
        store=Path(str(settings.store)).expanduser(),
        machine=machine_of(settings),
        items=items_of(settings),
    )


def open_tracker(config: DictConfig, folder: RunFolder) -> Tracker:
    """The run folder's metrics file, and wandb unless it is switched off."""
    own = JsonlTracker(folder.path)
    if not config.tracking.wandb:
        return own
    return Tee(own, wandb_tracker(resolved(config), folder=folder.path, project=config.tracking.project))
