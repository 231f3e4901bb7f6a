"""Score every same-index stack of the zoo, and everything that stacks begin with: a benchmark with known answers.

    python -m scripts.benchmark tabulate --out scripts/benchmark/tables/a.json
    python -m scripts.build_zoo --seed 1 --out outputs/zoo-b
    python -m scripts.benchmark tabulate --zoo outputs/zoo-b --out scripts/benchmark/tables/b.json

All 4^8 = 65,536 stacks whose layer i is layer i of one of the four models, between the hosts of their two ends, on the
screen's items, and the early exits of their prefixes. Beside the result lies the table, `.tensors`. The stacks are
walked in the order of a tree, so that every layer is applied to every beginning once; what is done of the tree's
branches is kept. ``--zoo`` takes the folder that `scripts.build_zoo --out` has filled.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from hm3.objectives import Tchebycheff
from hm3.tabulated import StackTable, Truth, save_table
from hm3.tabulated.table import STEPS
from scripts.benchmark.report import Report, Request, rounded
from scripts.benchmark.tabulate.site import Plan, Site
from scripts.benchmark.tabulate.walk import Path, branches, joined, scored

WHOLE = Plan(items=96, sources=4, branch=2)
QUICK = Plan(items=16, sources=2, branch=1)


def run(request: Request) -> Report:
    """Score what is not scored yet, and say what the truth is."""
    plan = QUICK if request.quick else WHOLE
    site = Site.open(plan, request.zoo)
    parts = [_part(request, site, branch) for branch in branches(plan.sources, plan.branch)]
    table = joined(site, parts)
    if request.out is not None:
        request.out.parent.mkdir(parents=True, exist_ok=True)
        save_table(table, request.out.with_suffix(".tensors"))
    return _report(table, parts)


def _part(request: Request, site: Site, branch: Path) -> dict[str, Any]:
    """The scores of a branch, which models and tasks of now gave."""
    name = f"{'-'.join(map(str, branch))} of {site.digest[:12]}"
    if name not in request.kept.parts:
        request.tell(f"stacks that begin with {', '.join(site.sources[number].name for number in branch)}")
    part: dict[str, Any] = request.kept(name, partial(scored, site, branch))
    return part


def _report(table: StackTable, parts: list[dict[str, Any]]) -> Report:
    truth, seconds = Truth.of(table), sum(part["seconds"] for part in parts)
    corners = truth.best(np.eye(len(table.names)), Tchebycheff())
    summary = {
        "stacks": len(table.stacks),
        "exits": len(table.scores),
        "front": len(truth.front),
        "hypervolume": rounded(truth.hypervolume, 6),
        "seconds": rounded(seconds),
        "resolution": rounded(1 / STEPS),
    }
    shown = Table(box=box.SIMPLE_HEAD, title="every same-index stack")
    for column in ("figure", "value"):
        shown.add_column(column, justify="right" if column == "value" else "left")
    for name, value in {**summary, **dict(zip(table.names, corners.round(4).tolist(), strict=True))}.items():
        shown.add_row(name if name in summary else f"best utility, {name} alone", f"{value:,}")
    return Report(summary, {"made_from": dict(table.made_from)}, [shown])
