"""The transforms of a run's seams, each fitted when it is first asked for.

A transform depends on nothing but the junction's two states, not on the rest of the stack: stacks share prefixes as
they would without seams.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from hm3.errors import ConfigurationError
from hm3.layers import LayerBank
from hm3.recipe import Content, digest_of
from hm3.recipe.junctions import Junction, junctions
from hm3.seams.calibration import Calibration
from hm3.seams.rules import NONE, RULES
from hm3.seams.states import HomeStates
from hm3.seams.transform import Transform

VERSION = 1  # of the arithmetic: raised whenever a transform could come out differently
BUDGET = 1 << 29  # bytes of transforms

Transforms = Mapping[Junction, Transform]
NO_TRANSFORMS: Transforms = MappingProxyType({})


class Seams(Protocol):
    """What recipes of a run call their seams, and what these do."""

    @property
    def name(self) -> str:
        """The rule with the fit's digest, ``RULE:FIT``: what `Recipe.seam` says."""
        ...

    def of(self, stacks: Iterable[Content]) -> Transforms:
        """The transform of every seam of some stacks.

        Raises:
            ConfigurationError: A stack's seams are of another fit.
        """
        ...

    def drop(self, source: str) -> None:
        """Forget a source."""
        ...


class NoSeams:
    """The residual stream is left alone."""

    name = NONE

    def of(self, stacks: Iterable[Content]) -> Transforms:
        """Nothing; arguments and errors as of `Seams.of`."""
        for stack in stacks:
            _check(stack, NONE)
        return {}

    def drop(self, source: str) -> None:
        """Nothing is known."""


class Fits:
    """Seams that are fitted on home states.

    Args:
        rule: Its name in `RULES`.
        bank: The weights of all sources.
        calibration: What the sources read.
        budget: Bytes of transforms that may be kept; others are fitted again.
    """

    def __init__(self, rule: str, bank: LayerBank, calibration: Calibration, budget: int = BUDGET) -> None:
        self.name = f"{rule}:{digest_of([VERSION, rule, calibration.digest, str(bank.dtype)])}"
        self._rule, self._bank, self._budget = RULES[rule], bank, budget
        self._states = HomeStates(bank, calibration)
        self._kept: OrderedDict[Junction, Transform] = OrderedDict()
        self._bytes = 0

    def of(self, stacks: Iterable[Content]) -> Transforms:
        """The transform of every seam of some stacks; fitted from their two states alone."""
        found: dict[Junction, Transform] = {}
        for stack in stacks:
            if stack.seam == NONE:
                continue
            _check(stack, self.name)
            *inner, head = junctions(stack, self._bank.checkpoint(stack.head).depth)
            for junction in inner:
                if junction.is_seam and junction not in found:
                    found[junction] = self._transform(junction, head=False)
            if head.is_seam and head not in found:
                found[head] = self._transform(head, head=True)
        return found

    def drop(self, source: str) -> None:
        """Forget a source's states; transforms are right whenever it comes back."""
        self._states.drop(source)

    def _transform(self, junction: Junction, *, head: bool) -> Transform:
        if junction not in self._kept:
            left, home = self._states[junction.left], self._states[junction.home]
            self._kept[junction] = (self._rule.head if head else self._rule.fit)(left, home)
            self._bytes += self._kept[junction].nbytes
            while self._bytes > self._budget and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        self._kept.move_to_end(junction)
        return self._kept[junction]


def check_tokens(rule: str, calibration: Calibration, width: int) -> None:
    """See that a rule can be fitted.

    Args:
        rule: Its name.
        calibration: What it is fitted on.
        width: Of the residual stream.

    Raises:
        ConfigurationError: There are too few tokens.
    """
    needed = RULES[rule].tokens(width)
    if calibration.tokens < needed:
        raise ConfigurationError(
            f"env.seam={rule}: search items of at least {needed} tokens to fit it on, for a residual stream of width"
            f" {width}, got {calibration.tokens}"
        )


def _check(stack: Content, name: str) -> None:
    if stack.seam not in (NONE, name):
        allowed = NONE if name == NONE else f"{name[:24]} or {NONE}"
        raise ConfigurationError(f"recipe.seam: as in this run, {allowed}, got {stack.seam[:24]}")
