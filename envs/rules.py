"""The rules that a path must keep."""

from __future__ import annotations

from dataclasses import dataclass

from hm3.errors import ConfigurationError

SEARCHED, FOLLOW = "searched", "follow"


@dataclass(frozen=True)
class PathRules:
    """What makes a path legal.

    Attributes:
        min_depth: Fewest layers of a stack.
        max_depth: Most layers of a stack.
        max_repeats: How often one (source, layer) may be used in a stack.
        reach: Furthest jump: ``|layer - (previous layer + 1)| <= reach``, the first layer compared with index 0.
            None allows any order.
        host: ``searched`` (the first action picks the host of embedding and head), ``follow`` (embedding of the
            first layer's source, norm and head of the last's), or the name of a source.
    """

    min_depth: int
    max_depth: int
    max_repeats: int = 1
    reach: int | None = None
    host: str = SEARCHED

    def __post_init__(self) -> None:
        _at_least("min_depth", self.min_depth, 1)
        _at_least("max_repeats", self.max_repeats, 1)
        if self.reach is not None:
            _at_least("reach", self.reach, 0)
        if not _is_int(self.max_depth) or self.max_depth < self.min_depth:
            raise ConfigurationError(
                f"rules.max_depth: an integer of at least min_depth = {self.min_depth}, got {self.max_depth!r}"
            )


def _at_least(name: str, value: object, low: int) -> None:
    if not _is_int(value) or value < low:  # type: ignore[operator]
        raise ConfigurationError(f"rules.{name}: an integer of at least {low}, got {value!r}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
