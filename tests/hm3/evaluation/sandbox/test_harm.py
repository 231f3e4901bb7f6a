"""What a program may not do: it fails, and nothing outside has changed."""

import ctypes
import os

import pytest

from hm3.evaluation.sandbox import Verdict
from tests.tiny_sandbox import verdict

FILES = {
    "make in its folder": "open('made', 'w')",
    "make elsewhere": "open({victim!r} + '.new', 'w')",
    "empty": "open({victim!r}, 'w')",
    "change": "open({victim!r}, 'r+')",
    "shorten": "import os\nos.truncate({victim!r}, 0)",
    "remove": "import os\nos.remove({victim!r})",
    "rename": "import os\nos.rename({victim!r}, {victim!r} + '.new')",
    "link": "import os\nos.symlink({victim!r}, {victim!r} + '.new')",
    "forbid": "import os\nos.chmod({victim!r}, 0)",
    "make a folder": "import os\nos.mkdir({victim!r} + '.folder')",
    "remove its folder": "import os\nos.rmdir('.')",
}


@pytest.mark.parametrize("program", FILES.values(), ids=FILES)
def test_no_file_is_made_changed_or_removed(program, tmp_path_factory):
    victim = tmp_path_factory.mktemp("home") / "thesis.txt"
    victim.write_text("years of work")
    before = victim.stat()
    assert verdict(program.format(victim=str(victim))).reason.startswith("PermissionError")
    assert [victim] == list(victim.parent.iterdir())
    assert victim.read_text() == "years of work"
    assert victim.stat().st_mode == before.st_mode


ACTS = {
    "fork bomb": "import os\nfor _ in range(8):\n    os.fork()",  # no worse, should it ever go off
    "thread": "import threading\nthreading.Thread(target=print).start()",
    "command": "import subprocess\nsubprocess.run(['true'])",
    "other program": "import os\nos.execv('/bin/true', ['true'])",
    "worker": "import multiprocessing\nmultiprocessing.Process(target=print).start()",
    "kill parent": "import os\nos.kill(os.getppid(), 9)",
    "kill by a file's owner": "import fcntl, os\nfcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())",
    "socket": "import socket\nsocket.socket()",
    "pair of sockets": "import socket\nsocket.socketpair()",
    "web": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
    "trace": "import sys\nsys.settrace(print)",
    "profile": "import sys\nsys.setprofile(print)",
    "objects": "import gc\ngc.get_objects()",
    "memory": "import ctypes\nctypes.string_at(0)",
    "library": "import ctypes\nctypes.CDLL(None)",
}


@pytest.mark.parametrize("program", ACTS.values(), ids=ACTS)
def test_what_a_program_may_not_do_fails(program):
    found = verdict(program)
    assert not found.passed
    assert any(word in found.reason for word in ("not permitted", "can't start new thread", "is closed"))


def test_limits_cannot_be_lifted():
    lift = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))"
    assert verdict(lift).reason == "ValueError: not allowed to raise maximum limit"


def test_the_environment_is_empty(monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    assert verdict("import os", "assert dict(os.environ) == {}") == Verdict(True)


def test_files_and_other_processes_can_be_read_only_where_the_kernel_has_no_landlock(tmp_path_factory):
    landlock = ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1
    secret = tmp_path_factory.mktemp("home") / "key"
    secret.write_text("hunter2")
    files, processes = (
        (str(secret), "/etc/passwd"),
        (f"/proc/{os.getpid()}/environ", "/proc/self/environ", "/proc/self/mem"),
    )
    found = {path: verdict(f"open({path!r}).read()") for path in (*files, *processes)}
    if landlock:
        assert all("Errno 13" in each.reason for each in found.values())
    else:  # as the README says
        assert all(found[path] == Verdict(True) for path in files)


def test_the_folder_is_empty_and_stdin_is_closed():
    assert verdict("import os", "assert os.listdir('.') == []") == Verdict(True)
    assert verdict("input()").reason == "EOFError: EOF when reading a line"
