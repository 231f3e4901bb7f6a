"""What holds passes, whatever uses too much ends, and nothing outlives who started it."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hm3.errors import ConfigurationError
from hm3.evaluation import sandbox
from hm3.evaluation.sandbox import Limits, Verdict, check_sandbox, run_all, run_assertions
from tests.tiny_sandbox import LIMITS, left, verdict, wait_for

HASTY = Limits(seconds=0.7)


@pytest.mark.parametrize(
    ("program", "assertions", "passed"),
    [
        ("def add(a, b):\n    return a + b", "assert add(2, 3) == 5", True),
        ("def add(a, b):\n    return a - b", "assert add(2, 3) == 5", False),
        ("import math, re, collections, heapq, datetime, decimal", "assert math.sqrt(4) == 2", True),
        ("import numpy", "assert numpy.linalg.inv(numpy.eye(2)).sum() == 2", True),
        ("print('hello', flush=True)", "print('again')", True),
        ("x = (", "assert True", False),
        ("raise AssertionError", "", False),
        ("text = '''", "'''", False),  # would swallow its assertions if both were one text
        ("if __name__ == '__main__':\n    raise ValueError", "", True),
        ("def f(x: int):\n    pass", "assert f.__annotations__ == {'x': int}", True),  # no import from the future
    ],
)
def test_a_program_passes_if_its_assertions_hold(program, assertions, passed):
    found = verdict(program, assertions)
    assert found.passed is passed
    assert (found.reason == "") is passed


def test_what_went_wrong_is_one_line():
    assert verdict("def f():\n    return [][0]", "f()").reason == "IndexError: list index out of range"
    assert verdict("x = 1", "assert x == 2").reason == "AssertionError"


@pytest.mark.parametrize(
    "program",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(99)",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "import os\nos.close(1)\nos.close(2)\nwhile True:\n    pass",
    ],
    ids=["loop", "sleep", "stubborn", "silent"],
)
def test_time_is_up(program):
    began = time.monotonic()
    assert verdict(program, limits=HASTY) == Verdict(False, "took more than 0.7 seconds")
    assert time.monotonic() - began < 3


def test_memory_is_limited():
    assert verdict("x = bytearray(10 << 30)").reason == "MemoryError"
    small = Limits(seconds=6, memory_bytes=128 << 20)
    assert verdict("x = []\nwhile True:\n    x.append(bytearray(1 << 24))", limits=small).reason == "MemoryError"


def test_output_is_limited():
    found = verdict("while True:\n    print('x' * 100000)", limits=Limits(seconds=4, output_bytes=1000))
    assert found == Verdict(False, "printed more than 1000 bytes")
    raw = "import os\nwhile True:\n    os.write(2, b'x' * 65536)"
    assert verdict(raw).reason == "printed more than 1048576 bytes"


_PARENT = """
import sys, types
package = sys.modules["hm3.evaluation"] = types.ModuleType("hm3.evaluation")  # without its imports, which take seconds
package.__path__ = [{folder!r}]
from hm3.evaluation.sandbox import Limits, run_assertions
run_assertions("while True: pass", "", Limits(seconds=60))
"""


def test_a_program_ends_with_whoever_started_it(tmp_path_factory):
    code = _PARENT.format(folder=str(Path(sandbox.__file__).parents[1]))
    home = tmp_path_factory.mktemp("home")
    root = Path(sandbox.__file__).parents[3]
    environment = {"TMPDIR": str(home), "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=root) as parent:
        assert wait_for(lambda: left(home))
        time.sleep(0.3)  # from its start until it is confined
        parent.kill()
    assert wait_for(lambda: not left(home))


def test_a_running_program_is_seen_by_these_tests(place):
    thread = threading.Thread(target=verdict, args=("while True: pass",), kwargs={"limits": Limits(seconds=2)})
    thread.start()
    seen = wait_for(lambda: left(place), seconds=1.5)
    thread.join()
    assert len(seen) == 1


def test_many_programs_keep_their_order():
    cases = [("x = 1", f"assert x == {number % 2}") for number in range(6)]
    assert [found.passed for found in run_all(cases, LIMITS, processes=3)] == [False, True] * 3
    assert run_all([], LIMITS) == []


def test_programs_run_at_once():
    began = time.monotonic()
    found = run_all([("import time\ntime.sleep(1)", "")] * 4, LIMITS, processes=4)
    assert all(each.passed for each in found)
    assert time.monotonic() - began < 3.5


def test_here_is_a_sandbox():
    check_sandbox(LIMITS)


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(ConfigurationError, match="Linux for the sandbox, got darwin"):
        run_assertions("", "", LIMITS)


def test_a_kernel_without_filters_is_refused(monkeypatch):
    monkeypatch.setattr(sandbox.running, "filter_program", lambda machine: b"")
    assert verdict("").reason == "OSError: [Errno 22] prctl failed"
    with pytest.raises(ConfigurationError, match=r"a sandbox \(Linux with seccomp\), got OSError"):
        check_sandbox(LIMITS)
