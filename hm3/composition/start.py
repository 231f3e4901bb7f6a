"""How a run starts, or goes on: its settings, its folder, and what it needs to be the same run again.

``start.json`` is written before anything else. A killed run goes on with what stands there, whatever the
configuration files say by then. A run that is refused before it has anything to tell leaves none.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from hm3.checkpoints import locked_folder, write_atomic
from hm3.command import complaint, preference_weights
from hm3.errors import ConfigurationError
from hm3.resume_points import ResumePoints
from hm3.runs import RunFolder
from hm3.sealed import sealed, unsealed


@dataclass(frozen=True)
class Start:
    """One run at its beginning, or where it goes on.

    Attributes:
        config: As composed when the run began.
        folder: The run folder.
        weights: The preference as stated, or None.
        wandb_id: Under which Weights & Biases knows the run.
        points: Where it goes on.
        finished: Nothing is left to do.
        began: When this process took it up (`time.monotonic`).
    """

    config: DictConfig
    folder: RunFolder
    weights: dict[str, float] | None
    wandb_id: str
    points: ResumePoints
    finished: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """That the run has taken so far: up to its last resume point, and in this process."""
        return self.points.last.seconds + time.monotonic() - self.began

    @classmethod
    def fresh(cls, config: DictConfig, folder: Path) -> Start:
        """A run that begins in a folder and cannot go on."""
        run = RunFolder(folder)
        return cls(config, run, None, secrets.token_hex(4), ResumePoints(run.resume))


@contextmanager
def started(config: DictConfig) -> Iterator[Start]:
    """Begin the run that a configuration describes, or go on with the one in the folder ``resume``.

    While the block runs nobody else works in the folder. A run that goes on is in the working directory in which it
    began, so that relative paths mean what they meant. When the block ends well, the run is finished.

    Raises:
        ConfigurationError: There is nothing to resume, or it began with other settings.
        OutputError: Another process works in the folder.
    """
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir).absolute())
    stated = [text for text in HydraConfig.get().overrides.task if text.partition("=")[0] != "resume"]
    points = ResumePoints(folder.resume)
    with locked_folder(folder.path):
        begun = _record(folder, stated) if config.resume is not None else None
        if begun is None:
            points.clear()
            folder.parameter.unlink(missing_ok=True)
        record = begun or _begin(config, folder, stated)
        with nullcontext() if begun else _nothing_where_refused(folder):
            os.chdir(record["cwd"])
            settings = OmegaConf.create(record["config"])
            weights = preference_weights(settings, record["overrides"])
            yield Start(settings, folder, weights, record["wandb_id"], points, record["finished"])
        _write(folder, record | {"finished": True})
        points.clear()


@contextmanager
def _nothing_where_refused(folder: RunFolder) -> Iterator[None]:
    """A run that is refused before it has anything to tell can be begun again with other settings."""
    try:
        yield
    except Exception as error:
        _, expected = complaint(error)
        told = folder.metrics.is_file() and folder.metrics.stat().st_size
        if expected and not told:
            folder.start.unlink(missing_ok=True)
        raise


def _begin(config: DictConfig, folder: RunFolder, stated: list[str]) -> dict[str, Any]:
    """Write down how the run began."""
    record = {
        "config": OmegaConf.to_yaml(config),
        "overrides": stated,
        "cwd": str(Path.cwd()),
        "wandb_id": os.environ.get("WANDB_RUN_ID") or secrets.token_hex(4),  # a sweep's agent has chosen one
        "finished": False,
    }
    _write(folder, record)
    return record


def _write(folder: RunFolder, record: Mapping[str, Any]) -> None:
    write_atomic(folder.start, sealed(dict(record)))


def _record(folder: RunFolder, stated: list[str]) -> dict[str, Any] | None:
    """How the run began; None where it didn't, but settings say how it should.

    Raises:
        ConfigurationError: It cannot go on.
    """
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        raise ConfigurationError("resume: one run at a time, without --multirun")
    if not folder.start.is_file():
        if stated:
            return None
        raise ConfigurationError(f"resume: the folder of a run that was begun, got {folder.path}")
    record: dict[str, Any] = unsealed(folder.start)
    if other := [text for text in stated if text not in record["overrides"]]:
        raise ConfigurationError(f"resume: a run goes on with the settings that it began with, got {other[0]} too")
    if not Path(record["cwd"]).is_dir():
        raise ConfigurationError(f"resume: the folder in which the run began must be there, {record['cwd']} is not")
    return record
