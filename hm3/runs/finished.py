"""A finished run, with all that comparisons ask of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hm3.errors import ConfigurationError
from hm3.runs.folder import RunFolder
from hm3.runs.front import FrontFile
from hm3.runs.settings import settings_of
from hm3.runs.showing import shown_scores
from hm3.tracking import read_metrics

_BEGUN = ".hydra/config.yaml"


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run with a result.

    Attributes:
        name: Its folder, without what all folders share.
        folder: Where it lies.
        front: Its result.
        settings: Dotted name -> value, as composed when it ran; empty where Hydra kept none.
        utility: Of the choice, on the test split where it was judged there.
        curve: (evaluations, hypervolume on the search split), as logged.
        seconds: From its first file to its result, by the files' times; None where these say nothing.
    """

    name: str
    folder: RunFolder
    front: FrontFile
    settings: Mapping[str, Any]
    utility: float
    curve: tuple[tuple[int, float], ...]
    seconds: float | None


def read_finished(name: str, run: RunFolder) -> FinishedRun:
    """Read a run that has a ``front.json``.

    Args:
        name: What the run is called beside others.
        run: Its folder.

    Raises:
        ConfigurationError: A file of it is not what it should be.
        OSError: One cannot be read.
    """
    front = run.read_front()
    records = read_metrics(run.metrics) if run.metrics.is_file() else []
    return FinishedRun(name, run, front, settings_of(run), _utility(front), _curve(records), _seconds(run))


def _utility(front: FrontFile) -> float:
    values = front.normaliser(shown_scores(front.chosen_member, front).values)
    try:
        return float(front.utility_function(values, np.asarray(front.preference.weights)))
    except (KeyError, TypeError) as error:
        raise ConfigurationError(f"utility: one that this version knows, got {front.utility!r}") from error


def _curve(records: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, float], ...]:
    told = [record for record in records if _finite(record.get("step")) and _finite(record.get("hypervolume"))]
    return tuple((int(record["step"]), float(record["hypervolume"])) for record in told)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(run: RunFolder) -> float | None:
    begun = run.path / _BEGUN
    if not begun.is_file():
        return None
    seconds = run.front.stat().st_mtime - begun.stat().st_mtime
    return seconds if seconds >= 1 else None  # a copy's files are all of one moment
