"""What hostile input is made of, and what must become of it: the right thing, or one clear line."""

from __future__ import annotations

import copy
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hm3.command import complaint

SECONDS = 60  # a case that takes longer hangs
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "null", "???", "${x}", "${oc.env:HOME}", "../..", "/", "/dev/null", "ä ö/ü", "{a:1", "[1"]
    ),
    st.sampled_from(["a=b", "\n", "nan", "-inf", "1e999", "0x10", "true", "<script>", "'\"", "\x00", "~", "a" * 5000]),
)
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 1, 2**31, 2**63, -(2**63), 10**30, math.nan, math.inf, 1e308])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)


def hostile(
    few: int, many: int, *strategies: st.SearchStrategy[Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Two tests of one property of what `strategies` draw: a few cases for every day, many in the slow tests."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        @pytest.mark.parametrize("cases", [few, pytest.param(many, marks=pytest.mark.slow)])
        def test(cases: int) -> None:
            plain = settings(
                max_examples=cases,
                deadline=None,
                database=None,
                phases=[Phase.generate],  # to shrink a case takes longer than to find it
                suppress_health_check=list(HealthCheck),
            )
            plain(given(*strategies)(check))()

        return test

    return decorate


@contextmanager
def seconds(most: int = SECONDS) -> Iterator[None]:
    """The block ends soon."""

    def hangs(*_: object) -> None:
        raise AssertionError(f"no answer in {most} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(most)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def refused_or_fine() -> Iterator[list[str]]:
    """The block ends well, or in an error that is one line for its user, which is then in the list; it ends soon."""
    refusal: list[str] = []
    try:
        with seconds():
            yield refusal
    except AssertionError:
        raise
    except Exception as error:
        line, expected = complaint(error)
        if not expected:
            raise
        assert "\n" not in line
        assert line.isprintable()
        assert len(line) > len("error: ")
        refusal.append(line)


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """A JSON value with something in it replaced, taken away or added, once or twice."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 2))):
        value = _damage(draw, value)
    return value


def _damage(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    what = draw(st.sampled_from(["inside", "inside", "inside", "gone", "new"]))
    if what == "gone":
        del value[key]
    elif what == "new" and isinstance(value, dict):
        value[draw(TEXTS)] = draw(VALUES)
    elif what == "new":
        value.insert(key, draw(VALUES))
    else:
        value[key] = _damage(draw, value[key])
    return value
