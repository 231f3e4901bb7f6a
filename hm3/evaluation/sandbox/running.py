"""Starts a sandboxed process, watches it and says what came of it."""

from __future__ import annotations

import base64
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import Any

from hm3.errors import ConfigurationError
from hm3.evaluation.sandbox.calls import filter_program
from hm3.evaluation.sandbox.limits import Limits, Verdict

_GUEST = Path(__file__).with_name("guest.py")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES = ("/dev/null", "/dev/urandom")


def run_assertions(program: str, assertions: str, limits: Limits) -> Verdict:
    """Run a program and then, in the same names, its assertions, in a process of its own without any rights.

    Args:
        program: Python source that somebody's model wrote.
        assertions: Python source that raises where the program is wrong.
        limits: What both together may use.

    Raises:
        ConfigurationError: This machine has no sandbox.
    """
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="hm3-sandbox-") as folder:
        task = json.dumps(_task(folder, limits) | {"program": program, "assertions": assertions, "token": token})
        deadline = time.monotonic() + limits.seconds
        process = subprocess.Popen(  # noqa: S603 - its rights are taken by what it runs
            [sys.executable, "-I", "-S", str(_GUEST)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={},
            start_new_session=True,
        )
        try:
            output = _output(process, task.encode(), deadline, limits.output_bytes)
            return _verdict(process, output, token.encode(), deadline, limits)
        finally:
            _end(process)


def run_all(cases: Sequence[tuple[str, str]], limits: Limits, processes: int = 1) -> list[Verdict]:
    """Verdicts on pairs of program and assertions, in order.

    Args:
        cases: The pairs.
        limits: For each of them.
        processes: How many run at once.
    """
    programs, assertions = [program for program, _ in cases], [asserted for _, asserted in cases]
    with ThreadPoolExecutor(processes) as threads:
        return list(threads.map(run_assertions, programs, assertions, repeat(limits)))


def check_sandbox(limits: Limits) -> None:
    """See that a right program passes here, and that a wrong one doesn't.

    Raises:
        ConfigurationError: This machine has no sandbox: another system than Linux, no seccomp.
    """
    good, bad = (run_assertions("x = 1", f"assert x == {value}", limits) for value in (1, 2))
    if not good.passed or bad.passed:
        raise ConfigurationError(f"evaluator.allow_code_execution: a sandbox (Linux with seccomp), got {good.reason}")


def _task(folder: str, limits: Limits) -> dict[str, Any]:
    """What the process needs beside the program."""
    if sys.platform != "linux":
        raise ConfigurationError(f"evaluator.allow_code_execution: Linux for the sandbox, got {sys.platform}")
    paths = sysconfig.get_paths()
    packages = list(dict.fromkeys([paths["purelib"], paths["platlib"]]))
    own = [folder, sys.base_prefix, paths["stdlib"], paths["platstdlib"], *packages]
    calls = base64.b64encode(filter_program(os.uname().machine)).decode()
    return {
        "limits": limits.kernel(),
        "readable": [*own, *_SYSTEM, *_DEVICES],
        "packages": packages,
        "calls": calls,
    }


def _output(process: subprocess.Popen[bytes], task: bytes, deadline: float, most: int) -> bytes:
    """What the process prints until it ends, until `deadline`, or until it is more than `most` bytes."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it has ended already
        process.stdin.write(task)
        process.stdin.close()
    source = process.stdout.fileno()
    ready = select.poll()
    ready.register(source)
    output = b""
    while len(output) <= most and ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
        part = os.read(source, 1 << 16)
        if not part:
            break
        output += part
    return output


def _verdict(process: subprocess.Popen[bytes], output: bytes, token: bytes, deadline: float, limits: Limits) -> Verdict:
    if len(output) > limits.output_bytes:
        return Verdict(False, f"printed more than {limits.output_bytes} bytes")
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Verdict(False, f"took more than {limits.seconds:g} seconds")
    if code < 0:
        return Verdict(False, f"ended by {signal.Signals(-code).name}")
    if code == 0:
        return Verdict(True) if output.endswith(token) else Verdict(False, "ended before its assertions")
    lines = output.decode(errors="replace").strip().splitlines()
    return Verdict(False, lines[-1] if lines else f"ended with {code}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process; it is alone in its group, since it can start no other."""
    if process.poll() is None:  # once it has ended, its number may be somebody else's
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with suppress(BrokenPipeError):
            stream.close()
