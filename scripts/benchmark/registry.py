"""The benchmarks by name. A new one is a module of this package with a `run`, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from scripts.benchmark.report import Report, Request

MODULES = {
    "throughput": "scripts.benchmark.throughput",
    "evaluator": "scripts.benchmark.evaluator",
    "export": "scripts.benchmark.export",
    "families": "scripts.benchmark.families",
    "parameter": "scripts.benchmark.parameter",
    "tabulate": "scripts.benchmark.tabulate",
    "search": "scripts.benchmark.search",
    "preferences": "scripts.benchmark.preferences",
    "transfer": "scripts.benchmark.transfer",
    "space": "scripts.benchmark.space",
    "switches": "scripts.benchmark.search.switches",
    "tuning": "scripts.benchmark.search.tuning",
}


def benchmark(name: str) -> Callable[[Request], Report]:
    """The benchmark's `run`; its libraries are imported only now."""
    run: Callable[[Request], Report] = import_module(MODULES[name]).run
    return run
