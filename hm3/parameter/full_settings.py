"""A method's settings, each with its value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from hm3.errors import ConfigurationError
from hm3.parameter.methods import Method, Parameter, Setting


def full_settings(
    row: Method, settings: Mapping[str, Setting | Sequence[float]], count: int
) -> tuple[tuple[str, Setting], ...]:
    """Every setting of a method with its value, sorted; ``name.i`` where each of `count` parents has its own.

    Raises:
        ConfigurationError: An unknown name, or a value out of range.
    """
    return tuple(sorted(_settings(row, settings, count)))


def _settings(
    row: Method, settings: Mapping[str, Setting | Sequence[float]], count: int
) -> Iterator[tuple[str, Setting]]:
    unknown = sorted(set(settings) - set(row.parameters))
    if unknown:
        known = ", ".join(row.parameters) or "none"
        raise ConfigurationError(f"merge {row.name}: settings are {known}, got {', '.join(unknown)}")
    for name, parameter in row.parameters.items():
        value = settings.get(name, parameter.default)
        if not isinstance(value, Sequence) or isinstance(value, str):
            yield name, _checked(row, name, parameter, value)
            continue
        if parameter.part != "parent" or len(value) != count:
            rule = f"one value for each of {count} parents" if parameter.part == "parent" else "one value"
            raise ConfigurationError(f"merge {row.name}: {name} takes {rule}, got {list(value)}")
        for parent, own in enumerate(value):
            yield f"{name}.{parent}", _checked(row, name, parameter, own)


def _checked(row: Method, name: str, parameter: Parameter, value: Setting) -> Setting:
    wanted = type(parameter.default)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ConfigurationError(f"merge {row.name}: {name} is a {wanted.__name__}, got {value!r}")
    if isinstance(value, float | int) and not (math.isfinite(value) and parameter.low <= value <= parameter.high):
        rule = f"from {parameter.low:g} to {parameter.high:g}" if math.isfinite(parameter.high) else "finite"
        raise ConfigurationError(f"merge {row.name}: {name} is {rule}, got {value!r}")
    return value
