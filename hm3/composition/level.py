"""The parameter level that a configuration names."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig

from hm3.composition.instances import instance
from hm3.composition.sources import Sources
from hm3.errors import ConfigurationError
from hm3.levels import Given, Level, StatedMerges
from hm3.objectives import Objective
from hm3.parameter import MergeCache

SEARCH, NONE = "search", "none"  # what the architecture level does


def level_of(config: DictConfig) -> Level:
    """What the section ``parameter`` describes."""
    described = instance(config, "parameter")
    return described if isinstance(described, Level) else StatedMerges(described)


def stacks_layers(config: DictConfig) -> bool:
    """Whether the architecture level works; otherwise the front is one of whole models.

    Raises:
        ConfigurationError: ``architecture`` is neither search nor none.
    """
    stated = config.get("architecture", SEARCH)
    if stated not in (SEARCH, NONE):
        raise ConfigurationError(f"architecture: {SEARCH} or {NONE}, got {stated!r}")
    return bool(stated == SEARCH)


def given_models(sources: Sources, objectives: Sequence[Objective], merges: MergeCache) -> Given:
    """What the parameter level works with.

    Raises:
        ConfigurationError: An expert is for an objective that the run has not.
    """
    scored = tuple(objective.name for objective in objectives if objective.task)
    for expert in sources.experts:
        for name in expert.objectives:
            if name not in scored:
                where = f"sources.experts.{expert.source.name}.objectives"
                raise ConfigurationError(f"{where}: of {', '.join(scored)}, got {name!r}")
    taking_part = tuple(expert for expert in sources.experts if expert.objectives or expert.weight)
    return Given(sources.base.source, taking_part, scored, sources.checkpoints, merges)
