"""Merged sources: those that the parameter level adds to the pool, and the rivals to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hm3.checkpoints import Checkpoint
from hm3.checks import whole
from hm3.composition.sources import Sources
from hm3.errors import ConfigurationError
from hm3.objectives import Objective
from hm3.parameter import MergeCache, ParameterLevel, rival_specs
from hm3.recipe import MergeSpec, Source


def merged_sources(level: ParameterLevel, sources: Sources, objectives: Sequence[Objective]) -> list[Source]:
    """What the parameter level adds.

    Raises:
        ConfigurationError: The level's settings are wrong, or an expert is for an objective that the run has not.
    """
    scored = [objective.name for objective in objectives if objective.task]
    for expert in sources.experts:
        for name in expert.objectives:
            if name not in scored:
                where = f"sources.experts.{expert.source.name}.objectives"
                raise ConfigurationError(f"{where}: of {', '.join(scored)}, got {name!r}")
    return level(sources.base.source, sources.experts, scored)


def merged_checkpoint(source: Source, merges: MergeCache, given: Mapping[str, Checkpoint]) -> Checkpoint:
    """A merged source as a checkpoint, built if it is not kept already."""
    assert source.merge is not None
    path = merges.get(source.merge, {name: checkpoint.path for name, checkpoint in given.items()})
    return Checkpoint.open(source.name, path, merge=source.merge)


def rivals(count: int, sources: Sources) -> list[MergeSpec]:
    """Merges of the experts, at least `count`; none with a single expert."""
    parents = [expert.source for expert in sources.experts]
    wanted = whole("rivals", count, 0)
    return rival_specs(sources.base.source, parents, wanted) if wanted and len(parents) > 1 else []
