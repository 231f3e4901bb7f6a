"""The rules: what a seam may do, and how it is fitted. A new rule is a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hm3.errors import ConfigurationError
from hm3.seams.fitting import rotation
from hm3.seams.states import Home
from hm3.seams.transform import PLAIN, Transform

NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule at seams.

    Attributes:
        name: What settings call it.
        fit: From the state as which hidden states come, and that at home, the transform.
        head: The same before the head.
        turns: Whether its transforms turn the stream.
    """

    name: str
    fit: Callable[[Home, Home], Transform]
    head: Callable[[Home, Home], Transform]
    turns: bool

    def tokens(self, width: int) -> int:
        """How many tokens it needs for a stream of this width."""
        return width if self.turns else 1


def scaled(left: Home, home: Home) -> Transform:
    """The stream as large as at home."""
    ratio = home.size / max(left.size, 1e-30)
    return Transform(ratio if math.isfinite(ratio) and ratio > 0 else math.nan)


def rotated(left: Home, home: Home) -> Transform:
    """The stream turned towards home, and as large as there.

    The size is that of home, not the least squares' one: where the states have little in common, least squares would
    shrink the stream to nothing, and what the layers behind the seam add to it would drown what it has brought.
    """
    scale = scaled(left, home).scale
    if math.isnan(scale):  # a source that computes no numbers: its stacks are told by theirs
        return Transform(scale)
    return Transform(scale, rotation(left.hidden(), home.hidden()).float().cpu().numpy())


def nothing(left: Home, home: Home) -> Transform:
    """No change: the final norm does not see a scale."""
    return PLAIN


RULES: dict[str, Rule] = {
    row.name: row
    for row in (
        Rule("scale", scaled, head=nothing, turns=False),
        Rule("rotation", rotated, head=rotated, turns=True),
    )
}


def check_rule(name: object) -> str:
    """The value of the setting, which must be a rule or ``none``.

    Raises:
        ConfigurationError: It is not.
    """
    if name not in (NONE, *RULES):
        raise ConfigurationError(f"env.seam: one of {', '.join((NONE, *RULES))}, got {name!r}")
    return str(name)


def rule_of(seam: str) -> Rule | None:
    """The rule of a recipe's seam, which is ``none`` or ``RULE:FIT``.

    Raises:
        ConfigurationError: There is no such rule.
    """
    if seam == NONE:
        return None
    name = seam.partition(":")[0]
    if name not in RULES:
        raise ConfigurationError(f"recipe.seam: {NONE}, or one of {', '.join(RULES)} with its fit, got {seam[:80]!r}")
    return RULES[name]
