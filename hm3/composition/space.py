"""The stacks that may be written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from omegaconf import DictConfig

from envs.pool import Pool
from envs.rules import FOLLOW, PathRules
from envs.space import StackSpace
from hm3.checkpoints.vocabulary import check_mixed_hosts
from hm3.checks import flag, whole
from hm3.composition.sources import Sources
from hm3.errors import ConfigurationError
from hm3.levels import ConditionedSource
from hm3.recipe import Source
from hm3.seams import NONE, check_foldable, check_rule


def stack_space(
    config: DictConfig,
    sources: Sources,
    merged: Sequence[Source],
    conditioned: ConditionedSource | None = None,
) -> StackSpace:
    """All stacks of given and merged sources, and of the one that follows each preference, that the rules allow.

    Raises:
        ConfigurationError: A rule is out of range, or no stack keeps them all.
        CheckpointError: Hosts follow the layers, and a source's tokenizer has more tokens than another's head has rows.
    """
    given = [checkpoint.source for checkpoint in sources.checkpoints.values()]
    depths = [checkpoint.depth for checkpoint in sources.checkpoints.values()]
    made = [*merged, *([] if conditioned is None else [conditioned.default])]
    pool = Pool((*given, *made), (*depths, *(sources.base.depth for _ in made)), conditioned)
    with _under_the_name_of_the_setting():
        space = StackSpace(pool, _rules(config, sources.base.depth))
    if space.rules.host == FOLLOW:
        check_mixed_hosts(list(sources.checkpoints.values()))
    return space


def shows_exits(config: DictConfig) -> bool:
    """Whether observations show early exits.

    Raises:
        ConfigurationError: It is neither true nor false.
    """
    return flag("env.exits", config.get("exits", False))


def seam_rule(config: DictConfig, sources: Sources) -> str:
    """The rule at seams.

    Raises:
        CheckpointError: Its seams cannot be folded into the weights of a source.
        ConfigurationError: There is no such rule.
    """
    rule = check_rule(config.get("seam", NONE))
    if rule != NONE:
        check_foldable(rule, sources.checkpoints.values())
    return rule


def _rules(config: DictConfig, depth: int) -> PathRules:
    low = math.ceil(0.75 * depth) if config.min_depth is None else whole("env.min_depth", config.min_depth, 1)
    high = max(low, math.floor(1.25 * depth)) if config.max_depth is None else config.max_depth
    return PathRules(low, high, config.max_repeats, config.reach, config.host)


@contextmanager
def _under_the_name_of_the_setting() -> Iterator[None]:
    """Environments speak of their ``rules``, which people set as ``env``."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"env.{str(error).removeprefix('rules.')}") from error
