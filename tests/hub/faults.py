"""Answers that go wrong."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to requests instead of what should.

    Attributes:
        method: Of the requests that are meant.
        path: A pattern that their path holds.
        status: The answer's status; None lets the request through, or drops it.
        message: What the answer says.
        headers: More headers of the answer.
        drop_after: Bytes of the body that are read before the connection ends without an answer.
        seconds: How long the request waits.
        skip: How many that are meant are let through before the first.
        times: How many are met; None for all.
        when: Called first, with the fault's number from 0.
    """

    method: str
    path: str
    status: int | None = None
    message: str = "the fault that was asked for"
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: int | None = None
    seconds: float = 0.0
    skip: int = 0
    times: int | None = None
    when: Callable[[int], None] | None = None
    met: int = 0
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def meets(self, method: str, path: str) -> bool:
        """Whether this request is one of them."""
        with self._lock:
            if method != self.method or not re.search(self.path, path):
                return False
            self._seen += 1
            if self._seen <= self.skip or (self.times is not None and self.met >= self.times):
                return False
            self.met += 1
            return True
