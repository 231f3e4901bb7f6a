"""What the exports of both sides amount to."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from rich import box
from rich.table import Table

from scripts.benchmark.report import Report, rounded

Parts = Mapping[str, Any]
SIDES = {"ours": "HM3", "rival": "mergekit"}


def figures(parts: Parts, shards: Mapping[str, int], repeats: int) -> Report:
    """The report on exports that were measured.

    Args:
        parts: ``side/case/number`` -> seconds, baseline and peak; ``same/case`` -> what was written.
        shards: Case -> most bytes of tensors in a file; the case without a name comes first.
        repeats: Rounds of each case.
    """
    summary: dict[str, Any] = {}
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("exports", "shards", "seconds", "from", "to", "MB/s", "peak over baseline", "of a shard"):
        table.add_column(column, justify="left" if column == "exports" else "right")
    for case, shard in shards.items():
        size = parts[f"same/{case}"]["bytes"]
        for side, name in SIDES.items():
            rounds = [parts[f"{side}/{case}/{number}"] for number in range(repeats)]
            seconds = sorted(one["seconds"] for one in rounds)
            middle, over = median(seconds), max(one["peak"] - one["baseline"] for one in rounds)
            summary[_key(f"{side}_s", case)] = rounded(middle)
            summary[_key(f"{side}_peak_over_baseline", case)] = over
            times = (f"{value:.2f}" for value in (middle, seconds[0], seconds[-1]))
            pace = f"{size / middle / 1e6:.0f}"
            label = f"{name}, {case.replace('_', ' ')}" if case else name
            table.add_row(label, f"{shard / 1e6:.0f} MB", *times, pace, f"{over / 1e6:.1f} MB", f"{over / shard:.2f}")
        summary[_key("shard", case)] = shard
    written = [value for name, value in parts.items() if name.startswith("same/")]
    summary |= {"bytes": written[0]["bytes"], "equal": all(one["equal"] for one in written), "repeats": repeats}
    return Report(summary, {"parts": dict(parts)}, [table])


def _key(name: str, case: str) -> str:
    return f"{name}_{case}" if case else name
