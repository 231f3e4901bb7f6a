"""Where a benchmark was run, with which libraries, and by which words; no names of hosts, no paths of machines."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "torch",
    "numpy",
    "transformers",
    "lm-eval",
    "mergekit",
    "gymnasium",
    "mo-gymnasium",
    "stable-baselines3",
    "sb3-contrib",
    "botorch",
    "gpytorch",
    "pymoo",
    "cma",
    "moocore",
)
"""Those whose version can change a figure."""
CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """This machine, a JSON object: processor, cores, memory in GB, accelerators, system, Python, versions."""
    return {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "accelerators": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        "system": f"{_system()}, {platform.machine()}",
        "python": platform.python_version(),
        "libraries": versions(LIBRARIES),
    }


def versions(names: Sequence[str]) -> dict[str, str]:
    """The versions of those libraries that are installed."""
    installed = {}
    for name in names:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def typed(words: Sequence[str]) -> str:
    """A command as anybody would type it in a clone.

    Args:
        words: What followed ``python -m scripts.benchmark``; paths elsewhere keep their last part alone.
    """
    return shlex.join(["python", "-m", "scripts.benchmark", *map(_portable, words)])


def _portable(word: str) -> str:
    flag, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    path = Path(value).expanduser()
    if not path.is_absolute() and ".." not in path.parts:
        return word
    path = path.resolve()
    return flag + equals + (path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name)


def _processor() -> str:
    """The model's name; `platform` knows the architecture alone on Linux."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
