"""The sandboxed process. It stands alone: the sandbox starts it by its path, with ``python -I -S``.

What it must do comes as JSON on stdin. Once `_confine` is through, the kernel holds back whatever it runs. The token,
which proves that the assertions were reached and held, is written last; no name in a living frame ever refers to it.
"""

from __future__ import annotations

import base64
import collections
import ctypes
import itertools
import json
import operator
import os
import resource
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_PDEATHSIG, _SET_SECCOMP, _SET_NO_NEW_PRIVS, _FILTER = 1, 22, 38, 2  # of prctl
_CAPABILITIES = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # Landlock's calls, the same numbers everywhere
_EVERY_RIGHT, _READ_FILE, _READ_FOLDER = 0x1FFF, 0x4, 0x8  # Landlock's, as its first version knows them
_CLOSED = ("gc.get_", "ctypes.", "sys.settrace", "sys.setprofile", "sys.monitoring")  # audit events
_SIGKILL = 9


def _confine(limits: Mapping[str, int], readable: Iterable[str], calls: bytes) -> None:
    """Give every right away, for good."""
    _call("prctl", _PDEATHSIG, _SIGKILL, 0, 0, 0)
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    _call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _restrict_files(readable)
    header = struct.pack("=Ii", _CAPABILITIES, 0)
    _call("capset", ctypes.c_char_p(header), ctypes.c_char_p(bytes(24)))  # root's rights beyond those of a user
    program = ctypes.create_string_buffer(calls, len(calls))
    pointer = struct.pack("@HP", len(calls) // 8, ctypes.addressof(program))
    _call("prctl", _SET_SECCOMP, _FILTER, ctypes.c_char_p(pointer), 0, 0)


def _restrict_files(readable: Iterable[str]) -> None:
    """Let nothing but `readable` be opened, where the kernel has Landlock."""
    try:
        rules = _call("syscall", _CREATE_RULESET, ctypes.c_char_p(struct.pack("=Q", _EVERY_RIGHT)), 8, 0)
    except OSError:
        return
    for path in filter(os.path.exists, readable):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rights = _READ_FILE | _READ_FOLDER if os.path.isdir(path) else _READ_FILE  # noqa: PTH112 - starts faster
        _call("syscall", _ADD_RULE, rules, 1, ctypes.c_char_p(struct.pack("=Qi", rights, place)), 0)
        os.close(place)
    _call("syscall", _RESTRICT_SELF, rules, 0)
    os.close(rules)


def _call(name: str, *arguments: Any) -> int:
    result: int = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name} failed")
    return result


def _steps() -> Sequence[tuple[Any, ...]]:
    """What to call, in order: the program, its assertions, and the proof."""
    task = json.loads(sys.stdin.buffer.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()  # of what Python itself has put there
    os.putenv("OMP_NUM_THREADS", "1")  # numpy ends a process that cannot start threads; os.environ doesn't show it
    sys.path.extend(task["packages"])
    _confine(task["limits"], task["readable"], base64.b64decode(task["calls"]))
    _close_introspection()
    space: dict[str, Any] = {}
    return [
        (exec, compile(task["program"], "program", "exec", dont_inherit=True), space),
        (exec, compile(task["assertions"], "assertions", "exec", dont_inherit=True), space),
        (os.write, 1, task["token"].encode()),
        (os._exit, 0),
    ]


def _close_introspection() -> None:
    """Keep the program from finding what has no name and from leaving out lines of its assertions."""
    closed = _CLOSED

    def refuse(event: str, _: object) -> None:
        if event.startswith(closed):
            raise RuntimeError(f"{event} is closed")

    sys.addaudithook(refuse)


def main() -> None:
    """Run the program and its assertions; say what went wrong, if anything did."""
    say, leave = os.write, os._exit  # the program may change their modules
    try:
        collections.deque(itertools.starmap(operator.call, _steps()), maxlen=0)
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        say(2, f"\n{reason[:300]}".encode(errors="replace"))
        leave(1)


if __name__ == "__main__":
    main()
