"""What the parts of the throughput benchmark amount to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from hm3.objectives import Array
from scripts.benchmark.report import Report, rounded

Parts = Mapping[str, Any]


@dataclass(frozen=True)
class Pace:
    """Seconds for a candidate.

    Attributes:
        name: What was timed.
        seconds: One for each round of ours, or each candidate of the rival.
    """

    name: str
    seconds: Array

    @property
    def mean(self) -> float:
        """Over rounds or candidates."""
        return float(self.seconds.mean())

    @property
    def spread(self) -> float:
        """Standard deviation; 0 of a single number."""
        return float(self.seconds.std(ddof=1)) if len(self.seconds) > 1 else 0.0


def figures(parts: Parts, candidates: int) -> Report:
    """Ratios, rates and agreement.

    Args:
        parts: As the contest has kept them.
        candidates: Of each set.
    """
    near, free = (_ours(parts, name, candidates) for name in ("near", "free"))
    simple_near, tuned_near = (_rival(parts, "near", form) for form in ("simple", "tuned"))
    simple_free, tuned_free = (_rival(parts, "free", form) for form in ("simple", "tuned"))
    warm, screen = _warm(parts), _screen(parts, candidates)
    differences, flipped, compared = _agreement(parts)
    summary = {
        "candidates": candidates,
        "ratio_cold_near": rounded(simple_near.mean / near.mean),
        "ratio_cold_free": rounded(simple_free.mean / free.mean),
        "ratio_warm": rounded(simple_near.mean / warm.mean),
        "ratio_cold_near_tuned": rounded(tuned_near.mean / near.mean),
        "ratio_screen": rounded(simple_near.mean / screen.mean),
        "ours_per_s": rounded(1 / near.mean),
        "rival_per_s": rounded(1 / simple_near.mean),
        "max_score_difference": max(differences),
        "flipped": flipped,
        "compared": compared,
        "peak_rss": parts["ours/near/0"]["own_peak"] + parts["warm"]["workers_peak"],
    }
    paces = [near, free, warm, screen, simple_near, simple_free, tuned_near, tuned_free]
    return Report(summary, dict(parts), [_table(paces, simple_near, parts)])


def _ours(parts: Parts, name: str, candidates: int) -> Pace:
    seconds = [one["seconds"] for one in _rounds(parts, f"ours/{name}/")]
    return Pace(f"ours, cold, {name}", np.array(seconds) / candidates)


def _rival(parts: Parts, name: str, form: str) -> Pace:
    scored = itertools.chain.from_iterable(_rounds(parts, f"rival/{name}/"))
    titles = {"simple": "mergekit + simple_evaluate", "tuned": "mergekit + evaluate, prebuilt tasks"}
    return Pace(f"{titles[form]}, {name}", np.array([one[form]["seconds"] for one in scored]))


def _warm(parts: Parts) -> Pace:
    counts, seconds = np.array(parts["warm"]["warm"]).T
    return Pace("ours, warm: local search after PPO", np.array([seconds.sum() / counts.sum()]))


def _screen(parts: Parts, candidates: int) -> Pace:
    seconds = [one["seconds"] + one["again"] for one in _rounds(parts, "screen/")]
    return Pace("ours, bfloat16 screen and its front in float32", np.array(seconds) / candidates)


def _rounds(parts: Parts, prefix: str) -> Iterable[Any]:
    return (part for name, part in parts.items() if name.startswith(prefix))


def _agreement(parts: Parts) -> tuple[list[float], int, int]:
    """Largest differences of scores, decisions that differ, decisions compared; over both forms of the rival."""
    rivals = [one for name in ("near", "free") for part in _rounds(parts, f"rival/{name}/") for one in part]
    pairs = [(ours, one[form]) for ours, one in zip(parts["answers"], rivals, strict=True) for form in one]
    differences = [max(abs(ours["scores"][key] - one["scores"][key]) for key in one["scores"]) for ours, one in pairs]
    decisions = [_decisions(ours, one) for ours, one in pairs]
    return differences, sum(int((a != b).sum()) for a, b in decisions), sum(len(a) for a, _ in decisions)


def _decisions(*sides: Parts) -> Sequence[Array]:
    return [np.concatenate([np.array(side["decisions"][task]) for task in sorted(side["decisions"])]) for side in sides]


def _table(paces: Sequence[Pace], rival: Pace, parts: Parts) -> Table:
    best = min(parts["settings"], key=parts["settings"].__getitem__)
    hits = f"{parts['warm']['hit_rate']:.0%} of layers from the cache while warm"
    table = Table(box=box.SIMPLE_HEAD, caption=f"{hits}; the rival runs best with {best}")
    table.add_column("side")
    for column in ("ms a candidate", "spread", "a second", "against simple_evaluate"):
        table.add_column(column, justify="right")
    for pace in paces:
        spread, ratio = f"{1e3 * pace.spread:.1f}", f"{rival.mean / pace.mean:.2f}"
        table.add_row(pace.name, f"{1e3 * pace.mean:.1f}", spread, f"{1 / pace.mean:.2f}", ratio)
    return table
