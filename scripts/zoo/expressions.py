"""Python expressions that know their value, for the code task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.zoo.levels import Draft

SUM, PRODUCT, POWER, ATOM = range(4)


@dataclass(frozen=True)
class Expression:
    """An expression of one argument, in its canonical form.

    Attributes:
        text: Python source.
        rank: how tightly its outermost operator binds, one of SUM, PRODUCT, POWER, ATOM.
        value: the same function, made without reading `text`.
    """

    text: str
    rank: int
    value: Callable[[Any], Any]


@dataclass(frozen=True)
class Step:
    """Something that is done to a value.

    Attributes:
        first: how a specification says it of a named value, with `{x}` for the name.
        then: how it says it of "it".
        suffix: what is appended to the source.
        rank: the rank of the outcome.
        apply: the meaning.
    """

    first: str
    then: str
    suffix: str
    rank: int
    apply: Callable[[Any], Any]


def argument(name: str) -> Expression:
    """Return the argument itself."""
    return Expression(name, ATOM, lambda value: value)


def extend(inner: Expression, step: Step) -> Expression:
    """Return `inner` followed by `step`, in brackets only where Python needs them."""
    loose = inner.rank < step.rank or (inner.rank == step.rank == POWER)
    text = f"({inner.text})" if loose else inner.text
    return Expression(text + step.suffix, step.rank, lambda value: step.apply(inner.value(value)))


def draft(specification: str, name: str, expression: Expression, cases: Sequence[Any]) -> Draft:
    """Return the item that asks for `expression`, with one assertion per case."""
    assertions = tuple(f"assert f({name}={case!r}) == {expression.value(case)!r}" for case in cases)
    return Draft(f"{specification}:", f"{expression.text}\n", (name,), assertions)
