"""A run as one HTML page, or many runs as one comparison; both hold everything they need and ask no network.

python -m hm3.report run=outputs/2026-01-31/12-00-00
python -m hm3.report runs='outputs/**'
"""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.command import command


@command("report")
def main(config: DictConfig) -> None:
    """Write the page of a run, or the comparison of many."""
    from pathlib import Path

    from rich.console import Console

    from hm3.checks import path
    from hm3.command import resolved
    from hm3.errors import ConfigurationError
    from hm3.figures import COLUMNS
    from hm3.pages import comparison_table, write_comparison, write_report
    from hm3.past_run import PastRun
    from hm3.runs.gathering import find_runs

    if (config.run is None) == (config.runs is None):
        raise ConfigurationError(f"report: one of run=DIR and runs='DIR/**', got run={config.run}, runs={config.runs}")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = COLUMNS
    out = None if config.out is None else path("out", config.out)
    if config.run is not None:
        past = PastRun.open(config.run)
        written = write_report(past.folder, resolved(past.settings), out)
    else:
        written = out or Path("comparison.html")
        found = find_runs(str(config.runs))
        write_comparison(found, written)
        console.print(comparison_table(found))
    console.print(f"report: {written}", soft_wrap=True)


if __name__ == "__main__":
    main()
