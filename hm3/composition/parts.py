"""What a run is made of before anything is scored: all of it is opened and checked in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from omegaconf import DictConfig

from envs.space import StackSpace
from hm3.checks import flag, path, whole
from hm3.composition.bench import items_of, machine_of
from hm3.composition.instances import instance
from hm3.composition.level import given_models, level_of, stacks_layers
from hm3.composition.merges import rivals
from hm3.composition.plans import budget_of, sampler_of
from hm3.composition.searcher import agent_builder
from hm3.composition.sections import section
from hm3.composition.sources import Sources, open_sources
from hm3.composition.space import seam_rule, shows_exits, stack_space
from hm3.composition.tasks import open_objectives
from hm3.evaluation import check_unseamed
from hm3.levels import Given, Level
from hm3.objectives import Objective, Preference, Utility
from hm3.parameter import MergeCache
from hm3.recipe import MergeSpec, Source

_SECTIONS = (
    "sources",
    "tasks",
    "parameter",
    "agent",
    "utility",
    "budget",
    "env",
    "offline",
    "online",
    "evaluator",
    "tracking",
)


@dataclass(frozen=True)
class Parts:
    """What needs no evaluator; of merged sources those that are known before any work."""

    objectives: tuple[Objective, ...]
    preference: Preference
    utility: Utility
    sources: Sources
    level: Level
    given: Given
    merged: list[Source]
    space: StackSpace
    exits: bool
    seam: str
    rivals: list[MergeSpec]

    @classmethod
    def of(cls, config: DictConfig, weights: Mapping[str, float] | None) -> Parts:
        """As a configuration and a stated preference say.

        Raises:
            CheckpointError: A source cannot be used.
            ConfigurationError: Something cannot be as it is stated.
        """
        objectives = open_objectives(config.tasks)
        preference = Preference.of(weights, [objective.name for objective in objectives])
        sampler_of(config.offline, preference)  # looked at before the parameter level works
        utility = instance(config.utility, "utility")
        scored = [objective.name for objective in objectives if objective.task]
        sources = open_sources(config.sources, path("merges", config.merges), scored)
        level, given = (
            level_of(config.parameter),
            given_models(sources, objectives, MergeCache(path("merges", config.merges))),
        )
        merged = list(level.known(given))
        space = stack_space(config.env, sources, merged)
        exits = shows_exits(config.env)
        seam = seam_rule(config.env, sources)
        if level.conditioned:
            check_unseamed(seam)
        rivals_ = rivals(config.rivals, sources)
        return cls(objectives, preference, utility, sources, level, given, merged, space, exits, seam, rivals_)


def check(config: DictConfig) -> None:
    """Look at what no part would see before there has been work.

    Raises:
        ConfigurationError: A setting is out of range.
    """
    for name in _SECTIONS:
        section(config, name)
    whole("seed", config.seed, 0, 2**32 - 1)
    flag("export", config.export)
    flag("tracking.wandb", config.tracking.wandb)
    machine_of(config.evaluator)
    items_of(config.evaluator, training=level_of(config.parameter).reads_texts)
    budget_of(config)
    agent_builder(config.agent)
    stacks_layers(config)
