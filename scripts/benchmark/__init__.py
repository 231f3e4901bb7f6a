"""Figures that a command prints: ``python -m scripts.benchmark NAME``.

- `registry`: the benchmarks by name; a new one is a module with a `run` and a line there
- `report`: what a benchmark gives back, and what an interrupted one has kept
- `zoo`, `candidates`, `rival` (with `passthrough`): what is measured, on what, against what
- `ideal`, `loops`, `memory`: the least that scoring can take; what surrounds it; what it holds
- `export_models`, `export_side`, `export_contest`: what is exported, by one side, by both in turns
- `throughput`, `export` (each with its `_figures`), `evaluator`: benchmarks
"""
