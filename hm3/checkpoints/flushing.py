"""Starts the disk's work while there is still something to copy, instead of leaving all of it to the last sync."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

EVERY = 64 << 20  # bytes between two syncs
MOST = 8  # syncs that wait for the disk; then the copying does


class Flusher:
    """Syncs what was written in a thread of its own; a last sync of every file is left to who commits the folder."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "flush")
        self._running: deque[Future[None]] = deque()
        self._unsynced = 0

    def wrote(self, descriptor: int, count: int) -> None:
        """Tell that `count` bytes were written to an open file.

        Raises:
            OSError: An earlier sync failed.
        """
        self._unsynced += count
        if self._unsynced < EVERY:
            return
        if len(self._running) == MOST:
            self._running.popleft().result()
        self._running.append(self._pool.submit(_sync, os.dup(descriptor)))
        self._unsynced = 0

    def __enter__(self) -> Flusher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()
        if error is None:
            for sync in self._running:
                sync.result()


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
