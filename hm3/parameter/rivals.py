"""The parameter-space merges that a user would try: what layer stacks are measured against."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from hm3.errors import ConfigurationError
from hm3.lattice import das_dennis
from hm3.parameter.specification import Settings, specify
from hm3.recipe import MergeSpec, Source

# Methods that are tried over the whole lattice of weights. Where mergekit does not normalise, weights that sum to 1
# would shrink every difference (and task arithmetic would be linear once more), so the sum is scaled up.
GRIDS: tuple[tuple[str, Settings], ...] = (
    ("linear", {}),
    ("task_arithmetic", {"lambda": 1.5}),
    ("ties", {}),
    ("dare_ties", {}),
)
SINGLES: tuple[tuple[str, Settings], ...] = (
    ("della", {}),
    ("breadcrumbs", {"lambda": 1.5}),
    ("model_stock", {}),
)


def rival_specs(base: Source, experts: Sequence[Source], at_least: int = 30) -> list[MergeSpec]:
    """Merges of two or more experts by several methods, over a lattice of weights.

    Args:
        base: What differences are taken to.
        experts: The models to merge, two or more.
        at_least: How many merges; the lattice is the coarsest that gives them.

    Returns:
        At least that many, none twice, always in the same order.

    Raises:
        ConfigurationError: Fewer than two experts.
    """
    if len(experts) < 2:
        raise ConfigurationError(f"rival merges: at least 2 experts, got {len(experts)}")
    for divisions in itertools.count(2):
        specs = {spec.digest: spec for spec in _specs(base, experts, divisions)}
        if len(specs) >= at_least:
            return list(specs.values())
    raise AssertionError


def _specs(base: Source, experts: Sequence[Source], divisions: int) -> Iterator[MergeSpec]:
    even = (1 / len(experts),) * len(experts)
    points = [tuple(map(float, point)) for point in das_dennis(len(experts), divisions)]
    corners_out = [point for point in points if max(point) < 1]
    for method, settings in GRIDS:
        for weights in dict.fromkeys([even, *corners_out]):
            yield specify(method, base=base, parents=experts, weights=weights, settings=settings)
    for method, settings in SINGLES:
        yield specify(method, base=base, parents=experts, weights=even, settings=settings)
    if len(experts) == 2:
        for weights in corners_out:
            yield specify("slerp", base=base, parents=experts, weights=weights)
