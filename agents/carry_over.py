"""A policy's networks for other sources or other objectives: what has the same name keeps its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from agents.ppo import PPO
from hm3.errors import ConfigurationError


@torch.no_grad()
def carry_over(old: PPO, new: PPO) -> None:
    """Give an agent another's weights; a source or objective that the other did not know begins as their average.

    Raises:
        ConfigurationError: The networks differ in more than their sources and objectives.
    """
    weights, maps = old.policy.state_dict(), _maps(old, new)
    for name, parameter in new.policy.named_parameters():
        parameter.copy_(_fitted(name, weights.get(name), parameter, maps))


def _fitted(name: str, weight: Tensor | None, parameter: Tensor, maps: Mapping[str, tuple[int, Tensor]]) -> Tensor:
    """The other's weight, in this agent's order."""
    if weight is not None and name in maps:
        dimension, rows = maps[name]
        weight = torch.tensordot(rows.to(weight), weight, dims=([1], [dimension])).movedim(0, dimension)
    if weight is None or weight.shape != parameter.shape:
        rule = "networks that differ in nothing but sources and objectives"
        raise ConfigurationError(f"carry over: {rule}, got another {name}")
    return weight


def _maps(old: PPO, new: PPO) -> dict[str, tuple[int, Tensor]]:
    """Parameter -> the dimension that has an entry for each source, objective or action, and (new, old) shares."""
    sources = _shares(new.space.pool.names, old.space.pool.names)
    objectives = _shares(new.normaliser.names, old.normaliser.names)
    one = torch.ones(1, 1)
    layers = torch.kron(sources, torch.eye(new.space.layers))
    lengths = torch.eye(1 + new.space.rules.max_depth)
    actions = _diagonal(layers, one, sources)  # layers, stop, hosts
    return {
        "features_extractor.source.weight": (0, sources),
        "features_extractor.preference.weight": (1, objectives),
        "features_extractor.rest.weight": (1, _diagonal(one, sources, lengths)),
        "action_net.weight": (0, actions),
        "action_net.bias": (0, actions),
    }


def _shares(names: Sequence[str], known: Sequence[str]) -> Tensor:
    """(N, M) 1 where a name is a known one; equal shares of all for a new name."""
    rows = [
        [float(name == other) for other in known] if name in known else [1 / len(known)] * len(known) for name in names
    ]
    return torch.tensor(rows)


def _diagonal(*blocks: Tensor) -> Tensor:
    result: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]  # torch has no types for it
    return result
