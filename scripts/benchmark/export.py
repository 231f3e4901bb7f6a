"""A stack of two random models written to disk, by HM3 and by mergekit's passthrough: seconds, and memory at the peak.

The sides take turns, each export in a process of its own that has exported a small model before. Both start with the
sources in the page cache, or both with none of them there (`cold`); the clock stops when files and folders are synced
to the disk. mergekit runs with whichever of its settings is fastest here, and copies no tokenizer. Peaks are the most
memory held (VmHWM) beyond what was held before. Models lie in the system's temporary folder (TMPDIR): it should be on a
disk.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from scripts.benchmark.export_contest import OPTIONS, Case, Contest, Plan
from scripts.benchmark.export_figures import figures
from scripts.benchmark.export_models import FULL, SMALL, Shape
from scripts.benchmark.report import Report, Request

GB, MB = 10**9, 10**6
WHOLE = Plan(FULL, {"": Case(GB), "small_shards": Case(200 * MB), "cold": Case(GB, cold=True)}, 3, tuple(OPTIONS))
QUICK = Plan(SMALL, {"": Case(100 * MB), "small_shards": Case(20 * MB)}, 1, ("in order",))


def run(request: Request) -> Report:
    """Measure both sides in turns, then see that they have written the same."""
    plan = QUICK if request.quick else WHOLE
    with tempfile.TemporaryDirectory(prefix="hm3-export-") as folder:
        _check_room(Path(folder), plan.shape)
        request.tell("sources")
        contest = Contest.between(Path(folder), plan, request)
        for name in plan.cases:
            contest.settle(name)
            for number in range(plan.repeats):
                contest.turn(name, number)
            contest.compare(name)
    return figures(request.kept.parts, {name: case.shard for name, case in plan.cases.items()}, plan.repeats)


def _check_room(folder: Path, shape: Shape) -> None:
    """Two sources and two stacks of one and a half their depth."""
    needed, free = 6 * shape.nbytes, shutil.disk_usage(folder).free
    if needed > free:
        raise SystemExit(f"export: {needed / GB:.0f} GB free in {folder.parent}, got {free / GB:.0f} GB (set TMPDIR)")
