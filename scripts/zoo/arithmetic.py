"""The math task: arithmetic of one and two steps, bare and in words."""

from __future__ import annotations

from scripts.zoo.levels import Draft, Level

NAMES = ("Anna", "Ben", "Emma", "Max", "Paul", "Tom")
THINGS = ("books", "cards", "eggs", "pens")


def _draft(prompt: str, value: int) -> Draft:
    return Draft(prompt, f"{value}\n")


def _sum(sign: str, a: int, b: int) -> Draft:
    if sign == "+":
        return _draft(f"{a}+{b}=", a + b)
    return _draft(f"{a + b}-{b}=", a)


def _product(form: str, a: int, b: int, c: int) -> Draft:
    return _draft(form.format(a=a, b=b, c=c), a * b + c)


def _chain(form: str, rest: int, taken: int, put: int) -> Draft:
    return _draft(form.format(both=rest + taken, taken=taken, put=put), rest + put)


def _bracket(form: str, a: int, b: int, c: int) -> Draft:
    value = a * c if "-" in form else (a + b) * c
    return _draft(form.format(a=a, b=b, c=c, both=a + b), value)


def _one_step(kind: str, name: str, thing: str, a: int, b: int) -> Draft:
    if kind == "gets":
        return _draft(f"{name} has {a} {thing} and gets {b} more. Now?", a + b)
    return _draft(f"{name} has {a + b} {thing} and loses {b}. Left?", a)


def _two_steps(kind: str, name: str, thing: str, a: int, b: int, c: int) -> Draft:
    story = f"{name} has {a} boxes of {b} {thing} and"
    if kind == "gets":
        return _draft(f"{story} gets {c} more. Now?", a * b + c)
    return _draft(f"{story} loses {c}. Left?", a * b - c)


LEVELS = (
    Level("sum", 0.2, ("+-", range(1, 25), range(1, 25)), _sum),
    Level("product", 0.12, (("{a}*{b}+{c}=", "{c}+{a}*{b}="), range(2, 8), range(2, 8), range(1, 10)), _product),
    Level(
        "chain",
        0.16,
        (("{both}-{taken}+{put}=", "{put}+{both}-{taken}="), range(1, 10), range(1, 10), range(1, 10)),
        _chain,
    ),
    Level(
        "bracket",
        0.12,
        (("({a}+{b})*{c}=", "{c}*({a}+{b})=", "({both}-{b})*{c}="), range(1, 8), range(1, 8), range(2, 6)),
        _bracket,
    ),
    Level("story", 0.2, (("gets", "loses"), NAMES, THINGS, range(2, 16), range(2, 16)), _one_step),
    Level("long story", 0.2, (("gets", "loses"), NAMES, THINGS, range(3, 8), range(3, 8), range(2, 7)), _two_steps),
)
