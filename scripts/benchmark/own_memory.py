"""Memory of a piece of work, beside the files that it maps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 0.002  # between two looks


@dataclass
class OwnMemory:
    """What a piece of work held at most, beyond what was held before; 0 where the system doesn't say.

    Attributes:
        peak: Bytes, without mapped files: those the system can take back.
    """

    peak: int = 0


@contextmanager
def own_memory() -> Iterator[OwnMemory]:
    """Watch this process while the block runs; the result is whole after it."""
    found, done, before = OwnMemory(), threading.Event(), _anonymous()

    def watch() -> None:
        while not done.wait(_SECONDS):
            found.peak = max(found.peak, _anonymous() - before)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        found.peak = max(found.peak, _anonymous() - before)
        done.set()
        watcher.join()


def _anonymous() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    sizes = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(sizes["RssAnon"].split()[0]) * 1024 if "RssAnon" in sizes else 0
