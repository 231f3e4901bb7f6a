"""What a result says of where it comes from."""

import json
from importlib.metadata import version
from pathlib import Path

from scripts.benchmark.machine import ROOT, machine, typed, versions


def test_a_machine_is_a_json_object_with_the_versions_that_matter():
    found = json.loads(json.dumps(machine()))
    assert found["cores"] >= 1
    assert found["memory_gb"] >= 1
    assert found["libraries"]["moocore"] == version("moocore")


def test_what_is_not_installed_has_no_version():
    assert versions(["no-such-library", "numpy"]) == {"numpy": version("numpy")}


def test_a_command_names_no_folder_of_ours():
    words = [
        "search",
        "--table",
        "b",
        "--out",
        str(ROOT / "scripts" / "x.json"),
        "--zoo",
        str(Path("/elsewhere/zoo-b")),
    ]
    assert typed(words) == "python -m scripts.benchmark search --table b --out scripts/x.json --zoo zoo-b"


def test_a_relative_path_stays_as_it_was_typed():
    assert typed(["tabulate", "--zoo=outputs/zoo-b"]) == "python -m scripts.benchmark tabulate --zoo=outputs/zoo-b"
