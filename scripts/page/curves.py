"""Hypervolume against evaluations, one line for each method."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE = {"svg.hashsalt": "hm3", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif"}
MAIN = "hm3"


def draw(result: Mapping[str, Any]) -> str:
    """The contest's mean shares of the true volume, from below the nadir, as an SVG; bands are 95 % intervals."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]  # its stubs name every key
        figure = Figure(figsize=(8, 4.8), layout="constrained")
        axes = figure.add_subplot()
        for number, (key, method) in enumerate(result["details"]["methods"].items()):
            _line(axes, result["details"]["curves"][key]["nadir"], method["title"], number, main=key == MAIN)
        _dress(axes)
        return _svg(figure)


def _line(axes: Axes, curve: list[list[float]], title: str, number: int, *, main: bool) -> None:
    evaluations, share, low, high = (list(column) for column in zip(*curve, strict=True))
    colour, style = f"C{number % 10}", "--" if number >= 10 and not main else "-"
    look = {"color": "black", "linewidth": 2.4, "zorder": 5} if main else {"color": colour, "linewidth": 1.2}
    axes.plot(evaluations, share, style, label=title, **look)  # type: ignore[arg-type]  # its stubs want one type for all
    axes.fill_between(evaluations, low, high, color=look["color"], alpha=0.12, linewidth=0)


def _dress(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_ylim(0.6, 1.005)
    axes.set_xlabel("different stacks judged")
    axes.set_ylabel("part of the true hypervolume, from below its nadir")
    for goal in (0.95, 0.99):
        axes.axhline(goal, color="grey", linewidth=0.6, linestyle=":")
    axes.legend(loc="lower right", fontsize=8)


def _svg(figure: Figure) -> str:
    """Without a date, so that the same result gives the same bytes."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
