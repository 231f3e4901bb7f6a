"""Code items about one number: chains of operations, and choices."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from scripts.zoo.expressions import ATOM, POWER, PRODUCT, SUM, Expression, Step, argument, draft, extend
from scripts.zoo.levels import Draft, Level

NAMES = ("n", "x", "y")
CASES = (-7, 0, 3, 5, 12)


def _numbered(n: int) -> tuple[Step, ...]:
    return (
        Step(f"add {n} to {{x}}", f"add {n}", f"+{n}", SUM, lambda v: v + n),
        Step(f"subtract {n} from {{x}}", f"subtract {n}", f"-{n}", SUM, lambda v: v - n),
        Step(f"multiply {{x}} by {n}", f"multiply by {n}", f"*{n}", PRODUCT, lambda v: v * n),
        Step(f"divide {{x}} by {n}", f"divide by {n}", f"/{n}", PRODUCT, lambda v: v / n),
        Step(f"take {{x}} modulo {n}", f"take it modulo {n}", f"%{n}", PRODUCT, lambda v: v % n),
    )


STEPS = (
    *(step for n in range(2, 10) for step in _numbered(n)),
    Step("double {x}", "double it", "*2", PRODUCT, lambda v: v * 2),
    Step("triple {x}", "triple it", "*3", PRODUCT, lambda v: v * 3),
    Step("halve {x}", "halve it", "/2", PRODUCT, lambda v: v / 2),
    Step("square {x}", "square it", "**2", POWER, lambda v: v**2),
)


def _chain(name: str, first: Step, *others: Step) -> Draft:
    *middle, last = [step.then for step in others]
    specification = ", ".join([first.first.format(x=name), *middle, f"then {last}"])
    return draft(specification, name, reduce(extend, others, extend(argument(name), first)), CASES)


def _terms(n: int) -> tuple[Step, ...]:
    return (
        Step(f"{{x}} plus {n}", "", f"+{n}", SUM, lambda v: v + n),
        Step(f"{{x}} minus {n}", "", f"-{n}", SUM, lambda v: v - n),
        Step(f"{{x}} times {n}", "", f"*{n}", PRODUCT, lambda v: v * n),
    )


TERMS = (*(term for n in range(2, 10) for term in _terms(n)), Step("{x} squared", "", "**2", POWER, lambda v: v**2))
Condition = tuple[str, str, Callable[[int], bool]]


def _conditions(n: int) -> tuple[Condition, ...]:
    return (
        (f"greater than {n}", f">{n}", lambda v: v > n),
        (f"less than {n}", f"<{n}", lambda v: v < n),
        (f"equal to {n}", f"=={n}", lambda v: v == n),
        (f"divisible by {n}", f"%{n}==0", lambda v: v % n == 0),
    )


CONDITIONS: tuple[Condition, ...] = (
    *(condition for n in range(2, 10) for condition in _conditions(n)),
    ("even", "%2==0", lambda v: v % 2 == 0),
    ("odd", "%2==1", lambda v: v % 2 == 1),
)


def _choice(name: str, condition: Condition, yes: Step, no: Step) -> Draft:
    words, test, holds = condition
    one, other = (extend(argument(name), term) for term in (yes, no))
    text = f"{one.text} if {name}{test} else {other.text}"
    expression = Expression(text, ATOM, lambda v: one.value(v) if holds(v) else other.value(v))
    first, second = (term.first.format(x=name) for term in (yes, no))
    return draft(f"{first} if {name} is {words}, else {second}", name, expression, CASES)


LEVELS = (
    Level("two steps", 0.25, (NAMES, STEPS, STEPS), _chain),
    Level("three steps", 0.2, (NAMES, STEPS, STEPS, STEPS), _chain),
    Level("choice", 0.2, (NAMES, CONDITIONS, TERMS, TERMS), _choice),
)
