"""Programs in the sandbox, and what they leave behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hm3.evaluation.sandbox import Limits, Verdict, run_assertions

LIMITS = Limits(seconds=6)
State = TypeVar("State")


def verdict(program: str, assertions: str = "assert True", limits: Limits = LIMITS) -> Verdict:
    """What comes of a program."""
    return run_assertions(program, assertions, limits)


def left(folder: Path) -> list[str]:
    """Processes that work below a folder, whoever their parent is now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += [process.name] if str((process / "cwd").readlink()).startswith(str(folder)) else []
        except OSError:  # it has ended, or it is somebody else's
            continue
    return found


def wait_for(state: Callable[[], State], seconds: float = 5) -> State:
    """A state as soon as it is true, or as it is when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := state()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
