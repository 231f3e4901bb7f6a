"""What a sandboxed program may use, and what comes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use; more ends it.

    Attributes:
        seconds: Of wall time, and of computing time, the interpreter's start included.
        memory_bytes: Address space.
        output_bytes: What it may print.
        open_files: At once.
    """

    seconds: float = 5.0
    memory_bytes: int = 1 << 30
    output_bytes: int = 1 << 20
    open_files: int = 32

    def kernel(self) -> dict[str, int]:
        """The limits that the kernel keeps, by their names in `resource`: no file grows, no process is started."""
        return {
            "RLIMIT_CPU": math.ceil(self.seconds),
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_FSIZE": 0,
            "RLIMIT_CORE": 0,
            "RLIMIT_NPROC": 0,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a program.

    Attributes:
        passed: All assertions were reached, and held.
        reason: Why not, in one line; empty if they did.
    """

    passed: bool
    reason: str = ""
