"""Weights & Biases: online with a login, offline without, and never a reason for a run to stop or to ask."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hm3.tracking.protocol import Cell, NullTracker, Tracker

if TYPE_CHECKING:
    import wandb

_log = logging.getLogger(__name__)
_CONNECT_SECONDS = 20.0  # then the run is recorded offline; wandb's own limit is 90
_OWN_FOLDERS = ("WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR")


def wandb_tracker(
    config: dict[str, Any],
    *,
    folder: Path,
    project: str = "hm3",
    name: str | None = None,
    group: str | None = None,
    tags: Sequence[str] = (),
    run_id: str | None = None,
) -> Tracker:
    """Start a wandb run in `folder`, or say in one warning line why there is none.

    Without a login, or where the server cannot be reached, the run is kept offline for ``wandb sync``. The
    environment's ``WANDB_MODE`` rules. wandb never asks for anything here.

    Args:
        config: The run's configuration as plain resolved dicts.
        folder: The run folder; wandb writes to ``wandb/`` in it.
        project: wandb's project.
        name: The run's name; wandb makes one up if None.
        group: wandb's group of runs.
        tags: wandb's tags.
        run_id: The same again resumes that run; wandb makes one up if None.
    """
    settings = {"project": project, "name": name, "group": group, "tags": list(tags), "id": run_id}
    try:
        _keep_off_the_home(folder)
        return WandbTracker(_start(config, folder, settings))
    except Exception as error:  # whatever goes wrong inside wandb, the run is worth more than its record
        _log.warning("wandb: no record of this run, %s", _one_line(error))
        return NullTracker()


class WandbTracker:
    """Logs to a wandb run that was started. The first failure ends the record with one warning line, not the run.

    Args:
        run: What ``wandb.init`` gave.
    """

    def __init__(self, run: wandb.Run) -> None:
        self._run = run
        self._step = 0
        self._failed = False

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Log under exactly the names given, so that a sweep finds its metric."""
        self._step = max(step, self._step)  # wandb drops what goes back
        self._try(lambda: self._run.log(dict(metrics), step=self._step))

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Log a wandb table."""
        self._try(lambda: self._log_media(name, _table(columns, rows)))

    def image(self, name: str, path: Path) -> None:
        """Log a wandb image."""
        self._try(lambda: self._log_media(name, _image(path)))

    def summary(self, values: Mapping[str, Cell]) -> None:
        """Set values of the run's summary."""
        self._try(lambda: self._run.summary.update(dict(values)))

    def finish(self) -> None:
        """Hand everything to wandb and end the run."""
        self._try(self._run.finish)

    def _log_media(self, name: str, media: object) -> None:
        # Without a step wandb would count on by itself and then drop the next metrics as too old.
        self._run.log({name: media}, step=self._step)

    def _try(self, action: Callable[[], object]) -> None:
        if self._failed:
            return
        try:
            action()
        except Exception as error:
            self._failed = True
            _log.warning("wandb: the record of this run ends here, %s", _one_line(error))


def _start(config: dict[str, Any], folder: Path, settings: Mapping[str, Any]) -> wandb.Run:
    folder.mkdir(parents=True, exist_ok=True)
    mode = _mode()
    try:
        return _init(config, folder, settings, mode)
    except Exception as error:
        if mode == "offline":
            raise
        _log.warning("wandb: recording offline, %s", _one_line(error))
        return _init(config, folder, settings, "offline")


def _init(
    config: dict[str, Any], folder: Path, settings: Mapping[str, Any], mode: Literal["offline"] | None
) -> wandb.Run:
    import wandb

    os.environ.setdefault("WANDB_DISABLE_WEAVE", "true")  # it takes our `agents` for another package of that name
    quiet = wandb.Settings(console="off", init_timeout=_CONNECT_SECONDS, silent=mode == "offline")
    resume: Literal["allow"] | None = "allow" if settings["id"] else None
    return wandb.init(config=config, dir=str(folder), mode=mode, resume=resume, settings=quiet, **settings)


def _mode() -> Literal["offline"] | None:
    """Offline without a login; otherwise None: the environment and the user's own settings decide."""
    if os.environ.get("WANDB_MODE", "online") == "disabled":
        return None
    if os.environ.get("WANDB_MODE", "online") != "online":
        return "offline"
    import wandb

    return None if wandb.login(prompt=False, verify=False) else "offline"


def _keep_off_the_home(folder: Path) -> None:
    """Where the home cannot be written, point wandb's own folders into the run's."""
    home = Path.home()
    if home.is_dir() and os.access(home, os.W_OK):
        return
    for variable in _OWN_FOLDERS:
        os.environ.setdefault(variable, str(folder / "wandb" / variable.split("_")[1].lower()))


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> object:
    import wandb

    return wandb.Table(columns=list(columns), data=[list(row) for row in rows], allow_mixed_types=True)


def _image(path: Path) -> object:
    import wandb

    return wandb.Image(str(path))


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
