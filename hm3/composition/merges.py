"""The merges that a run is compared with."""

from __future__ import annotations

from hm3.checks import whole
from hm3.composition.sources import Sources
from hm3.parameter import rival_specs
from hm3.recipe import MergeSpec


def rivals(count: int, sources: Sources) -> list[MergeSpec]:
    """Merges of the experts, at least `count`; none with a single expert."""
    parents = [expert.source for expert in sources.experts]
    wanted = whole("rivals", count, 0)
    return rival_specs(sources.base.source, parents, wanted) if wanted and len(parents) > 1 else []
