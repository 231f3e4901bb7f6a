"""Code items about one string: a slice, and what is done to it."""

from __future__ import annotations

from scripts.zoo.expressions import ATOM, PRODUCT, Expression, Step, argument, draft, extend
from scripts.zoo.levels import Draft, Level

NAMES = ("s", "t", "w")
CASES = ("", "Layers", "a stack of eight layers", "Mixed CASE and 12 digits")
ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def _slices(n: int) -> tuple[Step, ...]:
    return (
        Step(f"first {n} letters of {{x}}", "", f"[:{n}]", ATOM, lambda v: v[:n]),
        Step(f"last {n} letters of {{x}}", "", f"[-{n}:]", ATOM, lambda v: v[-n:]),
        Step(f"{{x}} without its first {n} letters", "", f"[{n}:]", ATOM, lambda v: v[n:]),
        Step(f"{{x}} without its last {n} letters", "", f"[:-{n}]", ATOM, lambda v: v[:-n]),
        Step(f"every {ORDINALS[n - 2]} letter of {{x}}", "", f"[::{n}]", ATOM, lambda v: v[::n]),
    )


def _repeat(n: int) -> Step:
    return Step("", f"{n} times", f"*{n}", PRODUCT, lambda v: v * n)


SLICES = tuple(step for n in range(2, 10) for step in _slices(n))
CHANGES = (
    Step("", "upper case", ".upper()", ATOM, lambda v: v.upper()),
    Step("", "lower case", ".lower()", ATOM, lambda v: v.lower()),
    Step("", "reversed", "[::-1]", ATOM, lambda v: v[::-1]),
    Step("", "stripped", ".strip()", ATOM, lambda v: v.strip()),
    *(_repeat(n) for n in range(2, 10)),
)
WRAPPERS = (("", ""), ("length of ", "len"))


def _wrap(inner: Expression, function: str) -> Expression:
    if not function:
        return inner
    return Expression(f"{function}({inner.text})", ATOM, lambda v: len(inner.value(v)))


def _slice(name: str, wrapper: tuple[str, str], part: Step, *changes: Step) -> Draft:
    expression = extend(argument(name), part)
    for change in changes:
        expression = extend(expression, change)
    words = ", then ".join(change.then for change in changes)
    said = ", ".join([part.first.format(x=name), words])
    return draft(wrapper[0] + said, name, _wrap(expression, wrapper[1]), CASES)


LEVELS = (
    Level("text", 0.15, (NAMES, WRAPPERS, SLICES, CHANGES), _slice),
    Level("long text", 0.05, (NAMES, WRAPPERS[:1], SLICES, CHANGES, CHANGES), _slice),
)
