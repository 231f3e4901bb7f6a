"""Many runs as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from hm3.pages.comparison_figures import FIGURES, duration
from hm3.pages.comparison_groups import Group, Variant, agent_of, groups, preference_of, stated
from hm3.runs import RunFolder
from hm3.runs.finished import FinishedRun
from hm3.runs.gathering import Gathered, gather

_NAMED = 5  # runs without a result, at most, that the caption names
_TITLES = {"hypervolume": "hyper-\nvolume", "evaluations": "evalu-\nations"}  # lines are short
_LEGEND = "hypervolume on the test split; ratio to that of all sources and merges; utility of the choice"


def comparison_table(runs: Sequence[RunFolder]) -> Table:
    """Finished runs, a line each, with what differs in their settings; mean and spread where only the seed does.

    Raises:
        ConfigurationError: No run has a result that can be read.
    """
    gathered = gather(runs)
    found = groups(gathered.finished)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption_justify="left")
    table.add_column("run", overflow="fold", min_width=12)
    table.add_column("preference", no_wrap=True)
    table.add_column("seed", justify="right", no_wrap=True)
    table.add_column("agent, settings that differ", overflow="fold")
    for title in (*(_TITLES.get(figure.name, figure.name) for figure in FIGURES), "time"):
        table.add_column(title, justify="right", no_wrap=True)
    for group in found:
        for row in _rows(group):
            table.add_row(*row)
        table.add_section()
    table.caption = escape("\n".join(_caption(gathered, len(found))))
    return table


def _rows(group: Group) -> Iterator[list[str]]:
    for variant in group.variants:
        for run in variant.runs:
            told = (run.name, preference_of(run), str(run.front.seed), _settings(run, group))
            cells = [figure.text(figure.of(run)) for figure in FIGURES]
            yield [*map(escape, told), *cells, duration(run.seconds)]
        if len(variant.seeds) > 1:
            yield from _over_seeds(variant)


def _settings(run: FinishedRun, group: Group) -> str:
    return ", ".join([agent_of(run), *stated(run, group.columns)])


def _over_seeds(variant: Variant) -> Iterator[list[str]]:
    spreads = [variant.spread(figure.of) for figure in FIGURES]
    means = [None if spread is None else spread.mean for spread in spreads]
    deviations = [None if spread is None else spread.deviation for spread in spreads]
    for name, values in ((f"mean of {len(variant.seeds)} seeds", means), ("standard deviation", deviations)):
        cells = [figure.text(value) for figure, value in zip(FIGURES, values, strict=True)]
        yield [f"[dim]{cell}[/dim]" for cell in ("", "", "", name, *cells, "")]


def _caption(gathered: Gathered, groups: int) -> Iterator[str]:
    yield _LEGEND if groups == 1 else f"{_LEGEND}; a gap between runs with other objectives or normalisation"
    if gathered.unfinished:
        more = len(gathered.unfinished) - _NAMED
        named = ", ".join(gathered.unfinished[:_NAMED])
        yield f"without a result: {named}" + (f" and {more} more" if more > 0 else "")
    for name, reason in gathered.broken.items():
        yield f"cannot be read: {name} ({reason})"
