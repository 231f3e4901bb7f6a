"""Sizes of random models, by the names that ``--size`` takes."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.benchmark.export_models import Shape

SIZES: Mapping[str, Shape] = {
    "0.02B": Shape(depth=8, width=384, inner=1024, heads=8),
    "0.1B": Shape(depth=12, width=768, inner=2048, heads=8),
    "0.5B": Shape(depth=24, width=1024, inner=5120, heads=16),
    "7B": Shape(depth=32, width=4096, inner=14_336, heads=32),
}


def shape_of(size: str) -> Shape:
    """The shape of a size.

    Raises:
        SystemExit: There is none of this name.
    """
    if size not in SIZES:
        raise SystemExit(f"--size: one of {', '.join(SIZES)}, got {size}")
    return SIZES[size]
