"""Where everything of a run lies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hm3.checkpoints import write_atomic
from hm3.errors import ConfigurationError
from hm3.recipe.files import PARETO, PICTURE, SEAMS
from hm3.runs.front import FrontFile
from hm3.runs.reading import front_from_json
from hm3.seams import SeamValues


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder; nothing is made before something is written.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def front(self) -> Path:
        """The result."""
        return self.path / "front.json"

    @property
    def seams(self) -> Path:
        """What was fitted for the seams of its front; rotations lie beside it."""
        return self.path / "seams.json"

    @property
    def picture(self) -> Path:
        """The result as a picture."""
        return self.path / PICTURE

    @property
    def report(self) -> Path:
        """The run as a page."""
        return self.path / "report.html"

    @property
    def metrics(self) -> Path:
        """What was logged."""
        return self.path / "metrics.jsonl"

    @property
    def policy(self) -> Path:
        """The trained networks."""
        return self.path / "policy.zip"

    @property
    def parameter(self) -> Path:
        """What the parameter level gave, where it had to work for it."""
        return self.path / "parameter.json"

    @property
    def tensor(self) -> Path:
        """What the parameter level trained."""
        return self.path / PARETO

    @property
    def start(self) -> Path:
        """How the run began, and whether it is finished."""
        return self.path / "start.json"

    @property
    def resume(self) -> Path:
        """Where the run goes on if it is killed (a folder); gone when the run is whole."""
        return self.path / "resume"

    @property
    def model(self) -> Path:
        """The chosen model as a checkpoint (a folder)."""
        return self.path / "model"

    def write_front(self, front: FrontFile) -> None:
        """Write ``front.json``; a reader sees the old one or the new one, never a half.

        Raises:
            OutputError: The folder cannot be written.
        """
        text = json.dumps(front.to_json(), indent=1, allow_nan=False, ensure_ascii=False)
        write_atomic(self.front, text + "\n")

    def write_seams(self, values: SeamValues) -> None:
        """Write ``seams.json`` and, beside it, rotations; nothing where there are no seams.

        Raises:
            OutputError: The folder cannot be written.
        """
        if values.matrices is not None:
            write_atomic(self.path / SEAMS, values.matrices)
        if values.transforms:
            write_atomic(self.seams, json.dumps(values.to_json(), indent=1) + "\n")

    def read_seams(self) -> SeamValues:
        """Read what `write_seams` wrote; empty where there is nothing.

        Raises:
            CheckpointError: Rotations are missing, or others.
            ConfigurationError: It is damaged.
        """
        if not self.seams.is_file():
            return SeamValues()
        try:
            return SeamValues.from_json(json.loads(self.seams.read_bytes()), self.path)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{self.seams}: must be JSON, got {error}") from error

    def read_front(self) -> FrontFile:
        """Read ``front.json``.

        Raises:
            ConfigurationError: There is none, or it is not one.
        """
        try:
            value = json.loads(self.front.read_bytes())
        except OSError as error:
            raise ConfigurationError(
                f"run: a run folder with a front.json, got {self.path} ({error.strerror})"
            ) from error
        except ValueError as error:
            raise ConfigurationError(f"{self.front}: must be JSON, got {error}") from error
        return front_from_json(value, str(self.front))
