"""The space of stacks: how layers, hosts and *stop* are numbered as actions and tokens, and what is legal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from envs.exits import LIMIT, Exits
from envs.lookahead import Lookahead
from envs.pool import Pool
from envs.rules import FOLLOW, SEARCHED, PathRules
from hm3.errors import ConfigurationError
from hm3.recipe import LayerRef, Recipe, Source

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StackSpace:
    """All stacks that the rules allow over a pool of S sources with at most L layers.

    Actions: layer l of source s is ``s * L + l``; then comes `stop`; then one host for each source.
    Tokens (what an episode did last): 0 is nothing, ``1 + s * L + l`` a layer, ``1 + S * L + s`` a host.

    Attributes:
        pool: The sources.
        rules: What makes a path legal.
        exits: What observations show of the stack so far; None leaves it out.
        seam: What recipes call their seams. A source's own layers under its own hosts have none, whatever it is.

    Raises:
        ConfigurationError: `rules.host` is not a source, or no path can reach `rules.min_depth`.
    """

    pool: Pool
    rules: PathRules
    exits: Exits | None = field(default=None, compare=False)
    seam: str = "none"

    def __post_init__(self) -> None:
        hosts = (SEARCHED, FOLLOW, *self.pool.names)
        if self.rules.host not in hosts:
            raise ConfigurationError(f"rules.host: one of {', '.join(hosts)}, got {self.rules.host!r}")
        if not self.lookahead.possible:
            raise ConfigurationError(
                f"rules.min_depth: {len(self.pool.sources)} sources of {self.layers} layers, max_repeats "
                f"{self.rules.max_repeats} and reach {self.rules.reach} allow no such stack, got {self.rules.min_depth}"
            )

    @property
    def sources(self) -> int:
        """Number of sources, S."""
        return len(self.pool.sources)

    @cached_property
    def layers(self) -> int:
        """Layers of the deepest source, L."""
        return max(self.pool.depths)

    @property
    def stop(self) -> int:
        """The action that ends the episode; all smaller ones are layers."""
        return self.sources * self.layers

    @property
    def actions(self) -> int:
        """Number of actions."""
        return self.stop + 1 + self.sources

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return 1 + self.stop + self.sources

    @property
    def picks_host(self) -> bool:
        """Whether the first action picks the host."""
        return self.rules.host == SEARCHED

    @property
    def fixed_host(self) -> int:
        """The host's number from 1 where the rules name one, otherwise 0."""
        return 0 if self.rules.host in (SEARCHED, FOLLOW) else 1 + self.pool.names.index(self.rules.host)

    @property
    def max_actions(self) -> int:
        """Actions of the longest episode."""
        return int(self.picks_host) + self.rules.max_depth + 1

    @cached_property
    def exists(self) -> Bools:
        """(S * L,) whether the source has this layer."""
        return (np.arange(self.layers) < np.array(self.pool.depths)[:, None]).ravel()

    @cached_property
    def near(self) -> Bools:
        """(L + 1, S * L) whether a layer exists and is within reach of the index that would come next."""
        jump = np.abs(np.tile(np.arange(self.layers), self.sources) - np.arange(self.layers + 1)[:, None])
        reach = self.layers if self.rules.reach is None else self.rules.reach
        near: Bools = (jump <= reach) & self.exists
        return near

    @cached_property
    def capacity(self) -> Ints:
        """(L,) uses that each layer index has, over all sources."""
        capacity: Ints = self.exists.reshape(self.sources, -1).sum(axis=0) * self.rules.max_repeats
        return capacity

    @cached_property
    def lookahead(self) -> Lookahead:
        """Decides what can still reach the least depth."""
        return Lookahead(self.capacity, self.rules.min_depth, self.rules.reach)

    @cached_property
    def _refs(self) -> list[LayerRef]:
        """The layer of each layer action."""
        return [LayerRef(name, layer) for name in self.pool.names for layer in range(self.layers)]

    @cached_property
    def _whole(self) -> dict[str, list[LayerRef]]:
        """Each source's own layers."""
        depths = zip(self.pool.names, self.pool.depths, strict=True)
        return {name: [LayerRef(name, layer) for layer in range(depth)] for name, depth in depths}

    @cached_property
    def _by_name(self) -> dict[str, Source]:
        return dict(zip(self.pool.names, self.pool.sources, strict=True))

    def action_space(self) -> gym.spaces.Discrete:
        """The actions as a Gymnasium space."""
        return gym.spaces.Discrete(self.actions)

    def observation_space(self, objectives: int) -> gym.spaces.Dict:
        """The observations as a Gymnasium space, for preferences over so many objectives."""
        depth = self.rules.max_depth
        seen: dict[str, gym.Space[Any]] = {
            "preference": gym.spaces.Box(0.0, 1.0, (objectives,), np.float32),
            "path": gym.spaces.Box(0, self.stop, (depth,), np.int64),
            "host": gym.spaces.Discrete(1 + self.sources),
            "length": gym.spaces.Discrete(1 + depth),
        }
        if self.exits is not None:
            seen["exits"] = gym.spaces.Box(-LIMIT, LIMIT, (1 + objectives,), np.float32)
        return gym.spaces.Dict(seen)

    def recipe(self, layers: Sequence[int], host: int, conditioned: Source | None = None) -> Recipe:
        """The recipe of a path of layer actions under a host.

        Args:
            layers: The actions.
            host: The host's number from 1; ignored where hosts follow.
            conditioned: Stands for the pool's source of its name; None leaves that.
        """
        refs = self._refs
        path = [refs[action] for action in layers]
        hosts = (self.pool.names[host - 1],) * 2 if host else (path[0].source, path[-1].source)
        whole = hosts[0] == hosts[1] and path == self._whole[hosts[0]]
        known = self._by_name if conditioned is None else {**self._by_name, conditioned.name: conditioned}
        return Recipe.build(path, *hosts, known, "none" if whole else self.seam)

    @cached_property
    def follower(self) -> int | None:
        """The number of the source that follows preferences; None where there is none."""
        conditioned = self.pool.conditioned
        return None if conditioned is None else self.pool.names.index(conditioned.name)

    def follows(self, layers: Sequence[int], host: int) -> bool:
        """Whether the recipe of a path and a host (as of `recipe`) is another one for every preference."""
        number = self.follower
        if number is None:
            return False
        return host == 1 + number or any(action // self.layers == number for action in layers)

    def conditioned_of(self, recipe: Recipe) -> Source | None:
        """The source of a recipe that follows a preference, as the recipe has it; None where it uses none."""
        if self.follower is None:
            return None
        name = self.pool.names[self.follower]
        return next((source for source in recipe.sources if source.name == name), None)

    def encode(self, recipe: Recipe) -> tuple[list[int], int]:
        """A recipe as layer actions and host number: what `recipe` turns back, given `conditioned_of` it.

        Raises:
            ConfigurationError: The recipe names a source that is not in the pool.
        """
        names = self.pool.names
        foreign = {source.name for source in recipe.sources} - set(names)
        if foreign:
            raise ConfigurationError(
                f"recipe.sources: of the pool {', '.join(names)}, got {', '.join(sorted(foreign))}"
            )
        layers = [names.index(ref.source) * self.layers + ref.layer for ref in recipe.path]
        return layers, 0 if self.rules.host == FOLLOW else 1 + names.index(recipe.embedding_host)

    def allows(self, layers: Sequence[int]) -> bool:
        """Whether a whole path of layer actions keeps every rule."""
        path = np.asarray(layers, dtype=np.int64)
        if not self.rules.min_depth <= len(path) <= self.rules.max_depth:
            return False
        expected = np.concatenate([[0], path[:-1] % self.layers + 1])
        return bool(self.near[expected, path].all() and np.bincount(path).max() <= self.rules.max_repeats)
