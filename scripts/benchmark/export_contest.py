"""Both sides export one stack in turns, under the same circumstances, and what they wrote is compared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.content import tensors_digest
from scripts.benchmark.export_models import Shape, mixed_stack, write_pair
from scripts.benchmark.export_side import SIDES, Job
from scripts.benchmark.report import Request

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "in order": {},
    "one thread writes": {"async_write": True},
    "two threads write": {"async_write": True, "write_threads": 2},
}


@dataclass(frozen=True)
class Case:
    """Circumstances of an export.

    Attributes:
        shard: Most bytes of tensors in a file.
        cold: Whether the page cache is empty of the sources.
    """

    shard: int
    cold: bool = False


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        shape: Of the models.
        cases: Name -> circumstances.
        repeats: Rounds in which the sides take turns.
        options: Names of the rival's settings that are tried.
    """

    shape: Shape
    cases: Mapping[str, Case]
    repeats: int
    options: tuple[str, ...]


@dataclass(frozen=True)
class Contest:
    """Both sides.

    Attributes:
        folder: Where models are written.
        sources: Name -> source.
        recipe: What is exported.
        plan: How much is measured.
        request: Keeps the parts: JSON values by name.
    """

    folder: Path
    sources: Mapping[str, Checkpoint]
    recipe: Mapping[str, Any]
    plan: Plan
    request: Request

    @classmethod
    def between(cls, folder: Path, plan: Plan, request: Request) -> Contest:
        """On the same sources and the same stack."""
        sources = write_pair(folder, plan.shape, request.seed)
        return cls(folder, sources, mixed_stack(sources).to_json(), plan, request)

    def settle(self, case: str) -> None:
        """Try the rival's settings."""
        for name in self.plan.options:
            self._keep(f"options/{case}/{name}", partial(self._export, "rival", case, OPTIONS[name]))

    def turn(self, case: str, number: int) -> None:
        """One round of each side; who is first changes."""
        for side in SIDES if number % 2 == 0 else reversed(list(SIDES)):
            options = self._best(case) if side == "rival" else {}
            self._keep(f"{side}/{case}/{number}", partial(self._export, side, case, options))

    def compare(self, case: str) -> None:
        """See that both have written the same tensors, and how many bytes."""
        self._keep(f"same/{case}", partial(self._same, case))

    def _keep(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.request.kept.parts:
            self.request.tell(name)
        return self.request.kept(name, make)

    def _best(self, case: str) -> Mapping[str, Any]:
        parts = self.request.kept.parts
        return OPTIONS[min(self.plan.options, key=lambda name: float(parts[f"options/{case}/{name}"]["seconds"]))]

    def _export(self, side: str, case: str, options: Mapping[str, Any]) -> dict[str, Any]:
        out = self.folder / f"{side} {case}"
        shutil.rmtree(out, ignore_errors=True)
        for file in (file for source in self.sources.values() for file in source.files):
            _forget(file) if self.plan.cases[case].cold else _read(file)
        folders = {name: str(source.path) for name, source in self.sources.items()}
        job = Job(side, folders, self.recipe, str(out), self.plan.cases[case].shard, options)
        done = subprocess.run(job.command(), capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if done.returncode:
            raise SystemExit(f"export: {side} failed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said

    def _same(self, case: str) -> dict[str, Any]:
        written = {}
        for side in SIDES:
            out = self.folder / f"{side} {case}"
            if not out.is_dir():  # measured by an earlier process, whose folder is gone
                self._export(side, case, {})
            written[side] = Checkpoint.open(side, out).files
        size = sum(file.stat().st_size for file in written["ours"])
        same = tensors_digest(written["ours"]) == tensors_digest(written["rival"])
        for side in SIDES:
            shutil.rmtree(self.folder / f"{side} {case}")
        return {"equal": same, "bytes": size, "files": {side: len(files) for side, files in written.items()}}


def _read(file: Path) -> None:
    with file.open("rb", buffering=0) as stream:
        while stream.read(1 << 24):
            pass


def _forget(file: Path) -> None:
    with file.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
