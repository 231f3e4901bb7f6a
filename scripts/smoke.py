"""The main job in small on the zoo, called exactly as users call it: train, search, evaluate, export, report.

python -m scripts.smoke
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

SMALL = (
    "offline.rollouts=2",
    "offline.episodes=8",
    "online.divisions=2",
    "online.each=1",
    "online.own=2",
    "online.refine=1",
    "online.survivors=6",
    "rivals=1",
    "evaluator.screen_items=8",
    "evaluator.search_items=16",
    "evaluator.test_items=16",
    "tracking.wandb=false",
)
RUN_FILES = ("front.json", "front.png", "report.html", "metrics.jsonl", "policy.zip", "pool.json", ".hydra", "model")
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "recipe.json", "README.md")
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Smoke:
    """A place to try the commands.

    Attributes:
        folder: Everything is written here.
        console: Where it is told.
    """

    folder: Path
    console: Console

    def train(self) -> None:
        """The main job."""
        said = self._call("train", "+preference=math_heavy", *SMALL, f"hydra.run.dir={self.folder / 'trained'}")
        self._check("closing table", "hypervolume" in said)
        self._check("run folder", all((self.folder / "trained" / name).exists() for name in RUN_FILES))
        self._check("weights", self._front("trained")["preference"]["math"] == 0.7)
        self._check("model", all((self.folder / "trained" / "model" / name).exists() for name in MODEL_FILES))

    def search(self) -> None:
        """Another preference, without training."""
        target = f"hydra.run.dir={self.folder / 'searched'}"
        self._call("search", f"run={self.folder / 'trained'}", "+preference=code_heavy", "rivals=0", target)
        self._check("weights", self._front("searched")["preference"]["code"] == 0.7)
        self._check("page", (self.folder / "searched" / "report.html").is_file())

    def evaluate(self) -> None:
        """What stock lm-eval says of the chosen model."""
        said = self._call("evaluate", f"run={self.folder / 'trained'}")
        self._check("same scores as lm-eval", float(said.split("largest difference")[1]) <= 1e-4)

    def export(self) -> None:
        """One stack of the front as a checkpoint."""
        digest = self._front("trained")["candidates"][0]["digest"]
        out = self.folder / "model"
        self._call("export", f"run={self.folder / 'trained'}", f"candidate={digest[:12]}", f"out={out}")
        self._check("model", all((out / name).exists() for name in MODEL_FILES))

    def report(self) -> None:
        """A run as a page, and the runs so far side by side."""
        page, comparison = self.folder / "page.html", self.folder / "comparison.html"
        self._call("report", f"run={self.folder / 'trained'}", f"out={page}")
        self._call("report", f"runs={self.folder}", f"out={comparison}")
        digest = self._front("trained")["chosen"]
        self._check("pages", all(digest[:8] in file.read_text(encoding="utf-8") for file in (page, comparison)))

    def _call(self, name: str, *overrides: str) -> str:
        command = [sys.executable, "-m", f"hm3.{name}", *overrides]
        self.console.print(f"$ python -m hm3.{name} {' '.join(overrides)}", soft_wrap=True)
        began = time.monotonic()
        caches = {"HM3_CACHE": str(self.folder / "cache")}
        done = subprocess.run(command, cwd=ROOT, env=os.environ | caches, capture_output=True, text=True, check=False)  # noqa: S603
        self.console.print(f"  {time.monotonic() - began:.0f} s, exit code {done.returncode}")
        self._check(f"hm3.{name} ends well\n{done.stdout}{done.stderr}", done.returncode == 0)
        self._check(f"hm3.{name} has no complaints, got {done.stderr}", not done.stderr)
        return done.stdout

    def _front(self, run: str) -> dict[str, Any]:
        front: dict[str, Any] = json.loads((self.folder / run / "front.json").read_text(encoding="utf-8"))
        return front

    def _check(self, what: str, holds: bool) -> None:
        if not holds:
            raise SystemExit(f"smoke: {what}")


def main() -> None:
    """Try every command in a temporary folder."""
    console = Console(highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="hm3-smoke-"))
    smoke = Smoke(folder, console)
    steps: Sequence[Callable[[], None]] = (smoke.train, smoke.search, smoke.evaluate, smoke.export, smoke.report)
    try:
        for step in steps:
            step()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print("every command works")


if __name__ == "__main__":
    main()
