"""A merge, stated in full: every setting has its value, so that equal merges have equal digests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hm3.errors import ConfigurationError
from hm3.parameter.full_settings import full_settings
from hm3.parameter.methods import METHODS, SEED, Method, Setting
from hm3.recipe import MergeBlock, MergeSpec, Source

Settings = Mapping[str, float | int | bool | Sequence[float]]


def specify(
    method: str,
    *,
    base: Source | None,
    parents: Sequence[Source],
    weights: Sequence[float],
    settings: Settings | None = None,
    blocks: Mapping[int, tuple[Sequence[float], Settings]] | None = None,
) -> MergeSpec:
    """A merge that mergekit will accept.

    Args:
        method: Name of a row of `METHODS`.
        base: What differences are taken to, and where config and tokenizer come from; without one, and where the
            method needs none, the first parent lends them.
        parents: The sources that are merged.
        weights: One for each parent; a method that ignores them gets ones, slerp gets them scaled to sum 1.
        settings: Values other than the defaults; a list gives each parent its own.
        blocks: First layer -> weights from there on, and settings where they differ from `settings`. A block that
            changes nothing is left out.

    Raises:
        ConfigurationError: An unknown name, a value out of range, too few or too many parents, blocks out of order.
    """
    row, count = method_named(method), len(parents)
    _check_parents(row, base, parents)
    full = full_settings(row, settings or {}, count)
    own = _weights(row, weights, count)
    spec = MergeSpec(method, base, tuple(parents), own, full, _blocks(row, own, settings or {}, blocks or {}))
    for _, part in spec.parts:
        _check_together(row, part)
    return spec


def _blocks(
    row: Method, weights: tuple[float, ...], settings: Settings, blocks: Mapping[int, tuple[Sequence[float], Settings]]
) -> tuple[MergeBlock, ...]:
    count, found = len(weights), [MergeBlock(0, weights, _seedless(full_settings(row, settings, len(weights))))]
    for first, (given, changes) in blocks.items():
        if SEED in changes:
            raise ConfigurationError(f"merge {row.name}: one seed for all blocks, got one for layer {first}")
        own = _seedless(full_settings(row, {**settings, **changes}, count))
        block = MergeBlock(first, _weights(row, given, count), own)
        if (block.weights, block.settings) != (found[-1].weights, found[-1].settings):
            found.append(block)
    return tuple(found[1:])


def _seedless(settings: tuple[tuple[str, Setting], ...]) -> tuple[tuple[str, Setting], ...]:
    return tuple((name, value) for name, value in settings if name != SEED)


def method_named(name: str) -> Method:
    """The row of `METHODS` called `name`.

    Raises:
        ConfigurationError: There is none.
    """
    if not isinstance(name, str) or name not in METHODS:
        raise ConfigurationError(f"merge method: one of {', '.join(METHODS)}, got {name!r}")
    return METHODS[name]


def setting(spec: MergeSpec, name: str, parent: int) -> Setting:
    """The value of a setting for the parent at index `parent`."""
    values = dict(spec.settings)
    return values.get(f"{name}.{parent}", values.get(name, METHODS[spec.method].parameters[name].default))


def _check_parents(row: Method, base: Source | None, parents: Sequence[Source]) -> None:
    if row.needs_base and base is None:
        raise ConfigurationError(f"merge {row.name}: a base source, got none")
    most = row.max_parents or len(parents)
    if not row.min_parents <= len(parents) <= most:
        rule = f"exactly {most}" if row.max_parents == row.min_parents else f"at least {row.min_parents}"
        raise ConfigurationError(f"merge {row.name}: {rule} parents, got {len(parents)}")
    sources = [*parents, base] if row.needs_base and base else list(parents)
    if len({source.digest for source in sources}) < len(sources):
        names = ", ".join(source.name for source in sources)
        raise ConfigurationError(f"merge {row.name}: parents that differ from each other and the base, got {names}")


def _weights(row: Method, weights: Sequence[float], count: int) -> tuple[float, ...]:
    if len(weights) != count:
        raise ConfigurationError(f"merge {row.name}: one weight for each of {count} parents, got {len(weights)}")
    if not all(math.isfinite(weight) for weight in weights):
        raise ConfigurationError(f"merge {row.name}: weights that are finite, got {list(weights)}")
    if not row.weighted:
        return (1.0,) * count
    if row.name != "slerp":
        return tuple(map(float, weights))
    if min(weights) < 0 or sum(weights) <= 0:
        raise ConfigurationError(f"merge slerp: weights of at least 0, one above, got {list(weights)}")
    return tuple(weight / math.fsum(weights) for weight in weights)


def _check_together(row: Method, spec: MergeSpec) -> None:
    """What no single value shows."""
    settings = dict(spec.settings)
    if row.name == "linear" and settings["normalize"] and math.isclose(sum(spec.weights), 0.0, abs_tol=1e-8):
        raise ConfigurationError(f"merge linear: weights that do not sum to 0, got {list(spec.weights)}")
    if "epsilon" not in row.parameters:
        return
    for parent in range(len(spec.parents)):
        density, epsilon = float(setting(spec, "density", parent)), float(setting(spec, "epsilon", parent))
        if 0 < density < 1 and not 0 < density - epsilon <= density + epsilon < 1:
            raise ConfigurationError(f"merge della: density ± epsilon within (0, 1), got {density} ± {epsilon}")
