"""Code items about a list of numbers: filter, change, summarise."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scripts.zoo.expressions import ATOM, Expression, draft
from scripts.zoo.levels import Draft, Level

NAMES = ("xs", "ys", "zs")
CASES = ([-8, -3, 0, 1, 4, 5, 11, 12], [63, -1, 0, 40, 7, 18, -30])
Filter = tuple[str, str, Callable[[int], bool]]
Change = tuple[str, str, Callable[[int], float]]
Summary = tuple[str, str, Callable[[Iterable[float]], object]]


def _filters(n: int) -> tuple[Filter, ...]:
    return (
        (f"numbers in {{xs}} greater than {n}", f">{n}", lambda v: v > n),
        (f"numbers in {{xs}} less than {n}", f"<{n}", lambda v: v < n),
        (f"numbers in {{xs}} divisible by {n}", f"%{n}==0", lambda v: v % n == 0),
    )


FILTERS: tuple[Filter, ...] = (
    *(condition for n in range(2, 10) for condition in _filters(n)),
    ("even numbers in {xs}", "%2==0", lambda v: v % 2 == 0),
    ("odd numbers in {xs}", "%2==1", lambda v: v % 2 == 1),
    ("positive numbers in {xs}", ">0", lambda v: v > 0),
    ("negative numbers in {xs}", "<0", lambda v: v < 0),
)
CHANGES: tuple[Change, ...] = (
    ("", "n", lambda v: v),
    ("squares of ", "n**2", lambda v: v**2),
    ("doubles of ", "n*2", lambda v: v * 2),
    ("halves of ", "n/2", lambda v: v / 2),
    ("opposites of ", "-n", lambda v: -v),
)
SUMMARIES: tuple[Summary, ...] = (
    ("", "[{}]", list),
    ("sum of ", "sum({})", sum),
    ("largest of ", "max({})", max),
    ("smallest of ", "min({})", min),
    ("sorted ", "sorted({})", sorted),
)


def _comprehension(name: str, kept: Filter, change: Change, summary: Summary) -> Draft:
    text = summary[1].format(f"{change[1]} for n in {name} if n{kept[1]}")
    expression = Expression(text, ATOM, lambda vs: summary[2]([change[2](v) for v in vs if kept[2](v)]))
    specification = summary[0] + change[0] + kept[0].format(xs=name)
    return draft(specification, name, expression, CASES)


LEVELS = (Level("list", 0.15, (NAMES, FILTERS, CHANGES, SUMMARIES), _comprehension),)
