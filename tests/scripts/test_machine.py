"""Where a result was measured, and by which words: nothing of it names a host or a folder of it."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from scripts.benchmark import machine as module
from scripts.benchmark.machine import ROOT, machine, typed, versions

RESULT = "scripts/benchmark/results/search_a.json"


def test_a_machine_is_a_json_object_that_says_what_changes_a_figure():
    found = json.loads(json.dumps(machine()))
    assert list(found) == [
        "processor",
        "instructions",
        "cores",
        "memory_gb",
        "accelerators",
        "system",
        "python",
        "libraries",
    ]
    assert found["processor"]
    assert 1 <= found["cores"] <= os.cpu_count()
    assert found["memory_gb"] >= 1
    assert found["python"] == platform.python_version()
    assert found["libraries"]["torch"] == torch.__version__
    assert found["libraries"]["moocore"] == version("moocore")


def test_a_machine_says_neither_its_name_nor_a_folder(monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "secret-host")
    text = json.dumps(machine())
    assert "secret-host" not in text
    assert not any(folder in text for folder in (str(ROOT), str(Path.home()), "/proc"))


def test_accelerators_are_named_one_by_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU {'AB'[number]}")
    assert machine()["accelerators"] == ["GPU A", "GPU B"]


def test_the_processor_is_the_first_of_linux_and_elsewhere_what_python_knows(monkeypatch, tmp_path):
    about = tmp_path / "cpuinfo"
    monkeypatch.setattr(module, "CPUINFO", about)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert machine()["processor"] == "arm64"
    about.write_text("vendor_id\t: V\nmodel name\t: P: one\nmodel name\t: P two\n")
    assert machine()["processor"] == "P: one"


def test_a_system_without_a_release_file_is_called_by_its_kernel(monkeypatch):
    def missing():
        raise OSError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert machine()["system"] == f"{platform.system()}, {platform.machine()}"


def test_libraries_that_are_not_installed_are_left_out():
    assert versions(["numpy", "no-such-library"]) == {"numpy": np.__version__}


def test_a_command_is_what_one_would_type():
    words = ["search", "--table", "a", "--out", RESULT]
    assert typed(words) == f"python -m scripts.benchmark search --table a --out {RESULT}"
    assert typed(["tuning", "--quick"]) == "python -m scripts.benchmark tuning --quick"


def test_paths_in_the_clone_are_told_from_its_root():
    expected = f"python -m scripts.benchmark search --out {RESULT}"
    assert typed(["search", "--out", str(ROOT / RESULT)]) == expected
    assert typed(["search", f"--out={ROOT / RESULT}"]) == expected.replace("--out ", "--out=")
    assert typed(["search", "--out", str(ROOT / "docs" / ".." / RESULT)]) == expected


def test_of_paths_elsewhere_the_last_part_is_told():
    expected = "python -m scripts.benchmark tabulate --zoo zoo-b"
    for path in ("/data/someone/zoo-b", "~/zoo-b", "../../someone/zoo-b"):
        assert typed(["tabulate", "--zoo", path]) == expected
    assert typed(["tabulate", "--zoo=/data/someone/zoo-b"]) == expected.replace("--zoo ", "--zoo=")


def test_a_relative_path_stays_as_it_was_typed():
    assert typed(["tabulate", "--zoo=outputs/zoo-b"]) == "python -m scripts.benchmark tabulate --zoo=outputs/zoo-b"


def test_words_that_need_quotes_have_them():
    assert typed(["search", "--out", "my results/a.json"]).endswith("--out 'my results/a.json'")
