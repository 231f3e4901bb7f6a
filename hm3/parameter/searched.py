"""Which settings of a merge method can be searched, and between which bounds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from hm3.errors import ConfigurationError
from hm3.parameter.methods import Method

WEIGHT = "weight"  # of a parent; mergekit has it among its parameters, `MergeSpec` apart

Bounds = dict[str, tuple[float, float]]


def searchable(method: Method) -> Bounds:
    """Name -> the method's limits, for the weight and every other number that each parent has of its own."""
    if not method.own_weights:
        return {}
    own = {name: row for name, row in method.parameters.items() if row.part == "parent" and type(row.default) is float}
    return {**{name: (row.low, row.high) for name, row in own.items()}, WEIGHT: (-math.inf, math.inf)}


def stated_bounds(method: Method, searched: Mapping[str, Sequence[float]] | None, stated: Collection[str]) -> Bounds:
    """What is searched, checked, in the order of the method's table, the weight last.

    Args:
        method: A row of `METHODS`.
        searched: Setting -> (low, high); None for all that can be and are not `stated`, within the method's limits;
            the weight from 0 to 1.
        stated: Names of the settings that have a value.

    Raises:
        ConfigurationError: Nothing can be searched, or a name or bounds are wrong.
    """
    limits = searchable(method)
    if not limits:
        raise ConfigurationError(f"merge {method.name}: has no settings to search")
    if searched is None:
        return {name: (0.0, 1.0) if name == WEIGHT else limits[name] for name in limits if name not in stated}
    unknown = sorted(set(searched) - set(limits))
    if unknown or not searched:
        got = ", ".join(unknown) or "none"
        raise ConfigurationError(f"merge {method.name}: searched settings are {', '.join(limits)}, got {got}")
    if twice := sorted(set(searched) & set(stated)):
        raise ConfigurationError(f"merge {method.name}: settings searched or stated, got both for {', '.join(twice)}")
    return {name: _checked(method, name, searched[name], limits[name]) for name in limits if name in searched}


def _checked(method: Method, name: str, given: Sequence[float], limits: tuple[float, float]) -> tuple[float, float]:
    about = f"merge {method.name}: bounds of {name} are"
    if not _is_pair(given):
        raise ConfigurationError(f"{about} two numbers, the lower first, got {given!r}")
    low, high = map(float, given)
    if not limits[0] <= low < high <= limits[1]:
        within = f", within {limits[0]:g} and {limits[1]:g}" if math.isfinite(limits[0]) else ""
        raise ConfigurationError(f"{about} two numbers, the lower first{within}, got {list(given)}")
    return low, high


def _is_pair(given: object) -> bool:
    numbers = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    finite = (type(each) in (int, float) and math.isfinite(each) for each in numbers)
    return len(numbers) == 2 and all(finite)
