"""The system calls that a sandboxed program may make, as a seccomp filter. Whatever is not listed fails with EPERM.

So there is no new process or thread, no socket, no signal to anybody, no change to any file and no way to lift a limit,
for root as for everybody else.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping

from hm3.errors import ConfigurationError

# Name -> its numbers on x86-64 and on 64-bit Arm (None: not there), from the kernel's unistd.h.
_FREE: Mapping[str, tuple[int, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "close": (3, 57),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "stat": (4, None),
    "lstat": (6, None),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "setitimer": (38, 103),
    "getitimer": (36, 102),
    "restart_syscall": (219, 128),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getrandom": (318, 278),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_OPEN: Mapping[str, tuple[int, int | None]] = {"open": (2, None), "openat": (257, 56)}
_FCNTL = (72, 25)

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of the tables, AUDIT_ARCH_*
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_LAST_HARMLESS_FCNTL = 3  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL; F_SETOWN and F_SETSIG can signal other processes

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06  # BPF_LD|W|ABS, BPF_JMP|…, BPF_RET
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # SECCOMP_RET_*; ERRNO carries EPERM, 1
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data


def filter_program(machine: str) -> bytes:
    """The filter: an array of the kernel's ``struct sock_filter``.

    Args:
        machine: As ``os.uname().machine`` names it.

    Raises:
        ConfigurationError: The calls of this machine aren't known.
    """
    if machine not in _ARCHITECTURES:
        known = " or ".join(_ARCHITECTURES)
        raise ConfigurationError(f"evaluator.allow_code_execution: Linux on {known} for the sandbox, got {machine}")
    column, architecture = _ARCHITECTURES[machine]
    parts = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
    ]
    for numbers in _FREE.values():
        parts += _rule(numbers[column], [_instruction(_RETURN, _ALLOW)])
    for name, numbers in _OPEN.items():
        flags = 1 if name == "open" else 2  # which argument they are
        parts += _rule(numbers[column], _checked(flags, _instruction(_ANY_BIT, _WRITING, 1, 0)))
    parts += _rule(_FCNTL[column], _checked(1, _instruction(_GREATER, _LAST_HARMLESS_FCNTL, 1, 0)))
    return b"".join([*parts, _instruction(_RETURN, _DENY)])


def _rule(number: int | None, then: list[bytes]) -> list[bytes]:
    """What happens to one call; `then` ends in a return."""
    return [] if number is None else [_instruction(_EQUAL, number, 0, len(then)), *then]


def _checked(argument: int, refused: bytes) -> list[bytes]:
    """Look at the low half of an argument, in which all flags and commands lie; `refused` skips one if it is bad."""
    return [
        _instruction(_LOAD, _ARGUMENTS + 8 * argument),
        refused,
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _DENY),
    ]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
