"""Measure, print a table, and print one JSON object as the last line.

    python -m scripts.benchmark throughput --out throughput.json

With --out the whole result is written there, and a run that was interrupted goes on from FILE.part.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console

from hm3.checkpoints import write_atomic
from scripts.benchmark.machine import machine, typed
from scripts.benchmark.registry import MODULES, benchmark
from scripts.benchmark.report import Kept, Request


def main() -> None:
    """Run one benchmark."""
    arguments = _arguments()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # lm-eval asks the Hub about every model, even one on disk
    console, progress = Console(), Console(stderr=True, highlight=False)
    settings = {"name": arguments.name, "quick": arguments.quick, "seed": arguments.seed}
    settings |= {} if arguments.size is None else {"size": arguments.size}
    settings |= {} if arguments.zoo is None else {"zoo": arguments.zoo.name}
    settings |= {} if arguments.table is None else {"table": arguments.table}
    kept = Kept(arguments.out and arguments.out.with_name(f"{arguments.out.name}.part"), settings)
    request = Request(
        arguments.quick,
        arguments.seed,
        kept,
        lambda line: progress.print(line, style="dim"),
        arguments.size,
        arguments.zoo,
        arguments.out,
        arguments.table or "a",
    )
    report = benchmark(arguments.name)(request)
    for table in report.tables:
        console.print(table)
    if arguments.out:
        whole = {
            **settings,
            "command": typed(sys.argv[1:]),
            "machine": machine(),
            "summary": dict(report.summary),
            "details": dict(report.details),
        }
        write_atomic(arguments.out, json.dumps(whole, indent=1) + "\n")
    kept.discard()
    print(json.dumps(dict(report.summary)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.benchmark", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=MODULES)
    parser.add_argument("--quick", action="store_true", help="the two-minute form: less of everything")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the whole result")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", metavar="SIZE", help="parameter: what a candidate costs on random weights, 0.5B")
    parser.add_argument("--zoo", type=Path, metavar="DIR", help="tabulate: another zoo, as scripts.build_zoo writes it")
    parser.add_argument("--table", choices=("a", "b"), help="search and its like: the kept table, a unless said")
    return parser.parse_args()


if __name__ == "__main__":
    main()
