"""Where everything of a run lies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hm3.checkpoints import write_atomic
from hm3.errors import ConfigurationError
from hm3.runs.front import FrontFile
from hm3.runs.reading import front_from_json


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
    def picture(self) -> Path:
        """The result as a picture."""
        return self.path / "front.png"

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
