"""Peak memory of this process and of the scoring processes."""

from __future__ import annotations

import contextlib
import multiprocessing
from pathlib import Path


def own_peak() -> int:
    """The most bytes that this process has held so far; 0 where the system doesn't say."""
    return _peak("self")


def reset_peak() -> None:
    """From now on `own_peak` counts from what this process holds at present, where the system lets it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def workers_peak() -> int:
    """The most bytes that each process started from here and still alive has held so far, added up."""
    return sum(_peak(str(process.pid)) for process in multiprocessing.active_children())


def _peak(process: str) -> int:
    try:
        lines = Path("/proc", process, "status").read_text().splitlines()
    except OSError:
        return 0
    sizes = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(sizes["VmHWM"].split()[0]) * 1024 if "VmHWM" in sizes else 0
